"""Every URL that the resolver knows, who may see each, and what two answers have in common."""

import re
import uuid
from collections.abc import Iterator

from django.apps import apps
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver

BACKEND = "django.contrib.auth.backends.ModelBackend"

# Who may see a page: everyone; a gate's device by its token; whoever is signed in; the member who holds the ticket;
# a relay of the company, only one with the right to distribute, one who keeps the list of members (who distributes or
# manages), buys, sees accounts (accountant), does either (customer), distributes or sees accounts (reader). A relay with the right
# to accounts alone is none of these but the last three, and a counter: any relay, as no member is named. The admin's pages are the staff's;
# the seller's are those of staff too, and for others do not exist.
MATRIX = {
    "account_request_login_code": "public", "account_confirm_login_code": "public", "account_login": "public",
    "account_logout": "public", "account_signup": "public", "account_inactive": "public",
    "account_email_verification_sent": "public", "mfa_authenticate": "public", "mfa_login_webauthn": "public",
    "account_reauthenticate": "signed in", "mfa_trust": "public",
    "house": "public", "logo": "public", "help": "public", "privacy": "public", "accessibility": "public", "health": "public",
    "choose_language": "public", "inbox": "public", "inbox_email": "public", "inbox_page": "public",
    "gate": "public", "gate_pair": "public", "gate_leave": "public", "gate_search": "public", "gate_undo": "public",
    "gate_group": "public", "gate_conflicts": "public", "gate_entries": "public",
    "gate_service": "public", "gate_decoder": "public", "gate_app": "public",
    "api:openapi-json": "public", "api:api-root": "public", "api:create_pairing": "public",
    "api:create_scan": "device", "api:create_scans": "device", "api:undo_scan": "device", "api:admit_group": "device",
    "api:list_events": "device", "api:read_manifest": "device", "api:read_ticket": "device", "api:create_search": "device",
    "home": "signed in", "spaces": "signed in", "account": "signed in", "log_out_everywhere": "signed in",
    "account_change_password": "signed in", "account_email": "signed in", "account_set_password": "signed in",
    "mfa_index": "signed in", "mfa_activate_totp": "signed in", "mfa_deactivate_totp": "signed in",
    "mfa_view_recovery_codes": "signed in", "mfa_generate_recovery_codes": "signed in", "mfa_download_recovery_codes": "signed in",
    "mfa_list_webauthn": "signed in", "mfa_add_webauthn": "signed in", "mfa_edit_webauthn": "signed in",
    "mfa_remove_webauthn": "signed in", "mfa_reauthenticate": "signed in", "mfa_reauthenticate_webauthn": "signed in",
    "usersessions_list": "signed in",
    "distribution:my_tickets": "signed in", "distribution:print_mine": "signed in", "distribution:offers": "signed in",
    "distribution:my_data": "signed in", "distribution:my_data_json": "signed in", "distribution:my_data_document": "signed in",
    "distribution:my_address": "signed in", "distribution:my_address_code": "signed in", "distribution:erasure": "signed in",
    "distribution:call_off_erasure": "signed in", "distribution:my_name": "member", "distribution:leave_list": "member",
    "distribution:name": "member", "distribution:show": "member", "distribution:give_back": "member", "distribution:calendar": "member",
    "distribution:home": "relay", "distribution:history": "relay", "distribution:product": "relay",
    "distribution:tickets": "relay", "distribution:ticket": "relay", "distribution:distribution": "relay",
    "dashboard:figures": "relay", "dashboard:seller": "seller", "dashboard:remind": "seller", "dashboard:seller_tickets": "seller",
    "dashboard:event": "seller", "dashboard:door": "seller", "dashboard:statement_csv": "seller", "dashboard:statement_xlsx": "seller",
    "dashboard:statement_pdf": "seller", "dashboard:close": "seller", "dashboard:closed_csv": "seller", "dashboard:closed_xlsx": "seller",
    "dashboard:closed_pdf": "seller", "dashboard:closed_json": "seller",
    "dashboard:consents": "seller", "dashboard:take_consents_csv": "seller",
    "dashboard:take_consents_xlsx": "seller", "dashboard:relay": "counter", "dashboard:doors": "counter", "dashboard:relay_csv": "counter",
    "dashboard:relay_xlsx": "counter", "dashboard:relay_tickets": "relay",
    "dashboard:seller_csv": "seller", "dashboard:seller_xlsx": "seller",
    "distribution:distribute": "distributor", "distribution:people": "distributor", "distribution:hand_over": "distributor",
    "distribution:reclaim": "distributor", "distribution:print_for_members": "distributor", "distribution:undo": "distributor",
    "distribution:send_again": "distributor", "distribution:print_act": "distributor", "distribution:sheet": "distributor",
    "distribution:slips": "reader", "distribution:slip": "reader", "distribution:slip_table": "reader",
    "distribution:named_slip": "distributor",
    "distribution:named_slip_table": "distributor", "distribution:printout_zip": "distributor",
    "distribution:cancel_printout": "distributor", "distribution:printout_file": "distributor",
    "distribution:correct_address": "distributor", "distribution:forward": "distributor", "distribution:reclaim_from": "distributor",
    "distribution:distribute_list": "distributor", "distribution:spreadsheet": "distributor",
    "distribution:spreadsheet_xlsx": "distributor",    "distribution:spreadsheet_csv": "distributor",
    "distribution:distribute_group": "distributor",
    "distribution:propose_relay": "distributor",
    "distribution:import_members": "distributor", "distribution:duplicates": "distributor",
    "distribution:choose_duplicate": "distributor", "distribution:merge": "distributor", "distribution:address": "distributor",
    "distribution:member": "keeper", "distribution:leave": "keeper", "distribution:put_back": "keeper",
    "members:people": "keeper", "members:add": "keeper", "members:edit": "keeper", "members:export": "keeper",
    "members:groups": "keeper", "members:group": "keeper", "members:fill_group": "keeper", "members:delete_group": "keeper",
    "distribution:reassign": "distributor", "distribution:reclaim_act": "distributor",
    "distribution:reclaim_from_member": "distributor", "distribution:remind": "relay",
    "sales:catalogue": "buyer", "sales:basket": "buyer", "sales:put": "buyer",
    "sales:request_option": "buyer", "sales:options": "buyer", "sales:option": "buyer", "sales:give_back": "buyer",
    "sales:more_time": "buyer", "sales:calendar": "buyer", "sales:feed": "public",
    "sales:account": "accountant", "sales:statement": "accountant", "sales:invoice": "accountant",
    "sales:orders": "customer", "sales:order": "customer", "sales:order_form": "customer",
}  # fmt: skip
WITHOUT_NAMES = ("counter", "reader", "customer", "accountant")
FOR_RELAYS = ("relay", "distributor", "keeper", "buyer", *WITHOUT_NAMES)
# The only answers that a cache may keep: the seller's colours and logo.
MAY_BE_KEPT = ("house", "logo")


def every_url(patterns=None, prefix="", namespace="") -> Iterator[tuple[str, str]]:
    """(name, path with its converters) of every pattern, the admin's too."""
    for pattern in patterns or get_resolver().url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from every_url(pattern.url_patterns, path, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}", path


def urls_for(*who: str) -> list[tuple[str, str]]:
    found = [(name, path) for name, path in every_url() if who_may(name) in who]
    assert found
    return found


def who_may(name: str) -> str:
    return MATRIX.get(name) or ("staff" if name.startswith("admin:") else "undeclared")


def fill(path: str, ids: dict) -> str:
    """The path with these ids; random ones where none is given."""
    path = re.sub(r"\(\?P<\w+>(\w*)[^)]*\)", r"\1", path)
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda m: str(ids.get(m[1]) or (1 if m[1] in ("pk", "object_id") else uuid.uuid4())), path)
    return "/" + path.replace("^", "").replace("$", "").replace("\\Z", "")


def admin_ids(name: str) -> dict:
    """The id of a row of the model that an admin page is about."""
    for model in apps.get_models():
        if name.startswith(f"admin:{model._meta.app_label}_{model._meta.model_name}_"):
            pk = model._default_manager.values_list("pk", flat=True).first()
            return {"object_id": pk, f"{model._meta.model_name}_id": pk}
    return {}


def blanked(response) -> bytes:
    """The answer without what differs at every request, the page's own address among it."""
    content = re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", response.content)
    return re.sub(rb'name="next" value="[^"]*"', b"", content)


def counted() -> dict[str, tuple]:
    """Every table's rows, as a sum of their text: what a GET must leave alone. The trace of a look is the look's own."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table in ("django_session", "usersessions_usersession", "cache", "members_access"):
                continue
            hide = " - 'last_seen_at' - 'last_login'" if table == "accounts_user" else ""
            cursor.execute(f'SELECT count(*), sum(hashtext((to_jsonb(t){hide})::text)) FROM "{table}" t')
            found[table] = cursor.fetchone()
    return found
