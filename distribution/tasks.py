from celery import shared_task


@shared_task(ignore_result=True)
def remind_relays() -> None:
    from distribution import actions

    actions.remind_relays()
