from django.http import HttpResponse
from django.utils.http import content_disposition_header

CSV = "text/csv; charset=utf-8"


def download(content: bytes | str, name: str, content_type: str = "application/pdf") -> HttpResponse:
    """A file to keep, by this name; one whose name has accents says so as RFC 6266 asks."""
    headers = {"Content-Disposition": content_disposition_header(True, name) or ""}
    return HttpResponse(content, content_type=content_type, headers=headers)
