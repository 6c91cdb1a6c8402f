from celery import shared_task


@shared_task(ignore_result=True)
def apply_retention() -> None:
    from accounts import actions

    actions.apply_retention()
