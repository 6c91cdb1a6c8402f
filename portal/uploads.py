"""How much a request may upload: the rest of it goes by, unread and unkept."""

import io

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.utils.translation import gettext_lazy

MOST_BYTES = 5_000_000
TOO_LARGE = gettext_lazy("This file is larger than 5 MB: keep one sheet with names, addresses and numbers.")


class OnlySoMuch(FileUploadHandler):
    """The first of the handlers. Of what is larger than MOST_BYTES only the name and the size come through.

    The form that asked for the file looks at its size, and says why it is refused.
    """

    total = 0
    too_much = False

    def handle_raw_input(self, input_data, META, content_length, boundary, encoding=None):  # noqa: N803  (Django's name)
        self.too_much = content_length > MOST_BYTES + (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)

    def receive_data_chunk(self, raw_data, start):
        self.total += len(raw_data)
        self.too_much = self.too_much or self.total > MOST_BYTES
        return None if self.too_much else raw_data

    def file_complete(self, file_size):
        if not self.too_much:
            return None
        return UploadedFile(io.BytesIO(), self.file_name, self.content_type, size=file_size, charset=self.charset)
