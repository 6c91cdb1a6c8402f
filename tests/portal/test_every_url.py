"""A walk over every URL that the resolver knows: what is not yours answers like what does not exist."""

import io
import re

import pypdf
import pytest

from distribution.models import Distribution
from members.models import Member
from tests import factories
from tests.portal.walk import BACKEND, FOR_RELAYS, WITHOUT_NAMES, admin_ids, blanked, every_url, fill, urls_for, who_may
from tickets.models import Movement

pytestmark = pytest.mark.django_db
NOT_A_PAGE = {
    "distribution:undo",
    "distribution:send_again",
    "distribution:print_for_members",
    "distribution:show",
    "distribution:print_act",
    "distribution:printout_file",
    "distribution:printout_zip",
    "distribution:cancel_printout",
    "distribution:put_back",
    "members:fill_group",
    "members:delete_group",
    "sales:put",
    "sales:give_back",
    "sales:more_time",
}  # POST alone


def stranger_to(story: dict, who: str):
    """Someone signed in to whom the story's company does not belong."""
    relay = story["relay"]
    match who:
        case "relay of another company":
            return story["other"].user
        case "member":
            return factories.login(story["member"].email)
        case "staff":
            return factories.UserFactory(is_staff=True, is_superuser=True)
        case "withdrawn relay":
            relay.withdrawn_at = "2026-01-01T00:00Z"
        case _:
            relay.until = "2026-01-01"
    relay.save()
    return relay.user


def test_every_url_says_who_may_see_it():
    names = [name for name, _ in every_url()]

    assert [name for name in names if who_may(name) == "undeclared"] == []
    assert len(names) == len({path for _, path in every_url()})


def test_a_visitor_is_sent_to_the_login_and_a_device_without_token_is_told_so(client, story):
    for name, path in every_url():
        match who_may(name):
            case "device":
                for token in ({}, {"authorization": "Bearer no"}, {"authorization": "Basic x"}):
                    answer = client.post(fill(path, {}), {}, content_type="application/json", headers=token)
                    if answer.status_code == 405:
                        answer = client.get(fill(path, {}), headers=token)
                    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json"), name
            case "public":
                assert client.get(fill(path, story["ids"])).status_code in (200, 302, 404, 405), name
            case "staff":
                first = client.get(fill(path, admin_ids(name)))
                assert first.status_code == 302 and first["Location"].startswith(("/admin/", "/login/")), name
                second = client.get(first["Location"], follow=True)
                assert second.status_code == 200 and second.request["PATH_INFO"] == "/login/", name
            case _:
                for method in (client.get, client.post):
                    answer = method(fill(path, story["ids"]))
                    assert answer.status_code == 302 and answer["Location"].startswith("/login/"), name
                    assert method(fill(path, {})).status_code == 302, name


@pytest.mark.parametrize("who", ["relay of another company", "member", "withdrawn relay", "relay whose time is over", "staff"])
def test_what_is_not_yours_answers_like_what_does_not_exist(client, story, who):
    client.force_login(stranger_to(story, who), backend=BACKEND)
    urls = urls_for(*FOR_RELAYS) + (urls_for("member") if who != "member" else [])
    nowhere = blanked(client.get("/nowhere/"))

    for name, path in urls:
        for method in (client.get, client.post):
            theirs = method(fill(path, story["ids"]))
            if theirs.status_code == 404:
                assert blanked(theirs) == nowhere, name
                continue
            nothing = method(fill(path, {}))
            assert theirs.status_code == nothing.status_code, (name, theirs.status_code, nothing.status_code)
            assert theirs.status_code in (405, 302) and (theirs.status_code != 302 or name == "distribution:show"), name
            assert blanked(theirs) == blanked(nothing), name
            client.get("/help/")  # shows what a redirect has left to say


def test_in_the_address_of_ones_own_company_the_ids_of_another_do_not_exist(client, story):
    other = story["other"]
    client.force_login(other.user, backend=BACKEND)
    ids = story["ids"] | {"company_id": other.company.public_id}
    nowhere = blanked(client.get("/nowhere/"))

    for name, path in urls_for(*FOR_RELAYS):
        if path.count("<uuid") > 1:
            for method in (client.get, client.post):
                theirs = method(fill(path, ids))
                assert theirs.status_code == 405 or (theirs.status_code, blanked(theirs)) == (404, nowhere), name


def test_under_ones_own_product_the_people_of_another_company_do_not_exist(client, story):
    other = story["other"]
    client.force_login(other.user, backend=BACKEND)
    own = {"company_id": other.company.public_id, "product_id": other.company.bought_tickets.first().product.public_id}

    for name, path in urls_for(*FOR_RELAYS):
        if "product_id" in path and path.count("<uuid") > 2:
            theirs, nothing = client.get(fill(path, story["ids"] | own)), client.get(fill(path, own))
            assert (theirs.status_code, blanked(theirs)) == (404, blanked(nothing)), name


def test_a_relay_without_the_right_to_distribute_looks_and_does_nothing(client, story):
    story["relay"].may_distribute = story["relay"].may_see_accounts = False
    story["relay"].save()
    client.force_login(story["relay"].user, backend=BACKEND)
    before = Movement.objects.count(), Distribution.objects.count()

    for _name, path in urls_for("relay", "counter"):
        assert client.get(fill(path, story["ids"])).status_code == 200
    for name, path in urls_for("distributor", "keeper", "reader"):
        for method in (client.get, client.post):
            assert method(fill(path, story["ids"])).status_code in (403, 405), name
            assert method(fill(path, {"company_id": story["ids"]["company_id"]})).status_code in (403, 405), name
    assert (Movement.objects.count(), Distribution.objects.count()) == before


def test_a_relay_who_manages_keeps_the_list_and_moves_no_ticket(client, story):
    story["relay"].may_distribute, story["relay"].may_manage, story["relay"].may_see_accounts = False, True, False
    story["relay"].save()
    client.force_login(story["relay"].user, backend=BACKEND)

    for name, path in urls_for("keeper"):
        assert client.get(fill(path, story["ids"])).status_code == (405 if name in NOT_A_PAGE else 200), name
    for name, path in urls_for("distributor", "reader"):
        for method in (client.get, client.post):
            assert method(fill(path, story["ids"])).status_code in (403, 405), name


def test_the_right_to_accounts_alone_opens_no_page_that_names_a_member_and_shows_no_link_to_one(client, story):
    relay = story["relay"]
    type(relay).objects.filter(pk=relay.pk).update(may_distribute=False, may_buy=False)
    client.force_login(relay.user, backend=BACKEND)
    nowhere, home = blanked(client.get("/nowhere/")), fill("c/<uuid:company_id>/", story["ids"])
    account = client.get(home)["Location"]
    people = [person for one in Member.objects.all() for person in (one.first_name, one.last_name, one.email)]
    links: set[str] = set()

    for name, path in urls_for(*FOR_RELAYS):
        if who_may(name) in WITHOUT_NAMES:
            answer = client.get(fill(path, story["ids"]))
            words = words_of(answer)
            assert answer.status_code == 200 and not [person for person in people if person in words], name
            links |= set(re.findall(r'(?:href|action|hx-get)="(/c/[^"?#]+)', words))
        elif name != "distribution:home":
            for method in (client.get, client.post):
                answer = method(fill(path, story["ids"]))
                assert answer.status_code == 405 or (answer.status_code, blanked(answer)) == (404, nowhere), name

    assert account in links and {path: code for path in links if (code := client.get(path).status_code) != 200} == {}


def words_of(answer) -> str:
    """What it says, its PDF's pages too."""
    if answer["Content-Type"] != "application/pdf":
        return b"".join(answer).decode(errors="replace")
    return " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages)


def test_a_relay_without_the_rights_to_buy_and_see_accounts_does_neither(client, story):
    story["relay"].may_buy = story["relay"].may_see_accounts = False
    story["relay"].save()
    client.force_login(story["relay"].user, backend=BACKEND)

    for name, path in urls_for("buyer", "customer", "accountant"):
        for method in (client.get, client.post):
            assert method(fill(path, story["ids"])).status_code in (403, 405), name
            assert method(fill(path, {"company_id": story["ids"]["company_id"]})).status_code in (403, 405), name


def test_whom_it_belongs_to_sees_it(client, story):
    client.force_login(story["relay"].user, backend=BACKEND)
    for name, path in urls_for(*FOR_RELAYS):
        assert client.get(fill(path, story["ids"])).status_code == (405 if name in NOT_A_PAGE else 200), name

    client.force_login(factories.login(story["member"].email), backend=BACKEND)
    for name, path in urls_for("member"):
        assert client.get(fill(path, story["ids"])).status_code == (405 if name in NOT_A_PAGE else 200), name
    for name, path in urls_for("signed in"):
        # 403: nothing to prove oneself with again; 404: no second factor yet
        assert client.get(fill(path, story["ids"])).status_code in (200, 302, 403, 404, 405), name


def test_the_admin_is_for_staff_and_for_those_of_them_who_have_the_right(client, story, settings):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    for user in (story["relay"].user, factories.login(story["member"].email)):
        client.force_login(user, backend=BACKEND)
        for name, path in urls_for("staff"):
            for method in (client.get, client.post):
                answer = method(fill(path, admin_ids(name)))
                assert answer.status_code == 302 and answer["Location"].split("?")[0] in ("/admin/login/", "/admin/", "/"), name
        assert client.get("/admin/login/?next=/admin/")["Location"] == "/"

    client.force_login(factories.UserFactory(is_staff=True), backend=BACKEND)
    for name, path in urls_for("staff"):
        if admin_ids(name).get("object_id"):
            answer = client.get(fill(path, admin_ids(name)))
            assert answer.status_code == 403 or (answer.status_code, answer["Location"]) == (302, "/admin/"), name

    client.force_login(factories.UserFactory(is_staff=True, is_superuser=True), backend=BACKEND)
    for name, path in urls_for("staff"):
        assert client.get(fill(path, admin_ids(name))).status_code in (200, 302, 403, 404, 405), name


def test_the_sellers_pages_exist_for_staff_alone_and_open_by_their_rights(client, story, settings):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    for user in (story["relay"].user, factories.login(story["member"].email)):
        client.force_login(user, backend=BACKEND)
        for name, path in urls_for("seller"):
            for method in (client.get, client.post):
                assert method(fill(path, story["ids"])).status_code in (404, 405), name

    for rights, answers in (({}, (403, 405)), ({"is_superuser": True}, (200, 302, 405, 409))):
        client.force_login(factories.UserFactory(is_staff=True, **rights), backend=BACKEND)
        for name, path in urls_for("seller"):
            for method in (client.get, client.post):
                assert method(fill(path, story["ids"])).status_code in answers, name
