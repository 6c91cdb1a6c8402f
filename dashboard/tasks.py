from celery import shared_task


@shared_task(ignore_result=True)
def count() -> None:
    from dashboard import actions

    actions.count()
