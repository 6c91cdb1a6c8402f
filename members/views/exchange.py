from django.http import HttpRequest, HttpResponse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.http import keeping
from members.import_list import exported
from portal.download import CSV, download
from portal.sheets import csv_text


@require_GET
def export(request: HttpRequest, company_id) -> HttpResponse:
    """Today's list for a spreadsheet; imported again as it is, it changes nothing."""
    relay = keeping(request, company_id)
    name = slugify(" ".join([_("members"), relay.company.name]))[:60]
    return download(csv_text(exported(relay.company)), f"{name}.csv", CSV)
