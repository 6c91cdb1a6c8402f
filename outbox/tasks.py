from celery import shared_task


@shared_task(ignore_result=True)
def send_due() -> None:
    from outbox import actions

    actions.send_due()


@shared_task(ignore_result=True)
def send_login_codes() -> None:
    from outbox import actions

    actions.send_due(login_only=True)


@shared_task(ignore_result=True)
def sweep() -> None:
    from outbox import actions

    actions.take_up_what_was_left()
    actions.send_due()
