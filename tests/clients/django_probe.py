"""Run by test_my_django.py in a process of its own: Django keeps its settings in globals."""
import os
import sys

import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    USE_TZ=True,
    DATABASES={"default": {
        "ENGINE": "django.db.backends.mysql", "NAME": os.environ["MY_DATABASE"],
        "USER": os.environ["MY_USER"], "PASSWORD": os.environ["MY_PASSWORD"],
        "HOST": os.environ["MY_HOST"], "PORT": os.environ["MY_PORT"]}})
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import IntegrityError, connection, models, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402


class Author(models.Model):
    name = models.CharField(max_length=50, unique=True)

    class Meta:
        app_label = "shelf"


class Book(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    title = models.TextField()
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        app_label = "shelf"


def tables():
    with connection.schema_editor() as editor:
        for model in (Book, Author):
            editor.execute(f"DROP TABLE IF EXISTS {model._meta.db_table}")
        editor.create_model(Author)
        editor.create_model(Book)


def orm():
    austen = Author.objects.create(name="Austen")
    assert austen.pk == 1
    Book.objects.bulk_create([Book(author=austen, title=f"book {n}", price=n) for n in range(50)])
    assert Book.objects.filter(author__name="Austen", price__gte=25).count() == 25
    first = Book.objects.select_related("author").order_by("pk").first()
    assert (first.author.name, first.title) == ("Austen", "book 0")
    assert abs((timezone.now() - first.at).total_seconds()) < 60
    assert Book.objects.filter(price__lt=10).update(title="cheap ü") == 10
    assert Book.objects.aggregate(models.Sum("price"))["price__sum"] == sum(range(50))
    assert [book.title for book in Book.objects.order_by("pk").iterator(chunk_size=7)][9:11] == [
        "cheap ü", "book 10"]
    assert Author.objects.get_or_create(name="Austen") == (austen, False)
    assert Book.objects.filter(author=austen).delete()[0] == 50
    assert Author.objects.all().delete()[0] == 1


def transactions():
    try:
        with transaction.atomic():
            Author.objects.create(name="gone")
            raise ValueError
    except ValueError:
        pass
    with transaction.atomic():
        Author.objects.create(name="kept")
        try:
            with transaction.atomic():  # a savepoint
                Author.objects.create(name="kept")
            raise AssertionError("a double name was accepted")
        except IntegrityError:
            pass
        locked = Author.objects.select_for_update().get(name="kept")
        locked.name = "changed"
        locked.save()
    assert list(Author.objects.values_list("name", flat=True)) == ["changed"]


def introspection():
    with connection.cursor() as cursor:
        names = {table.name for table in connection.introspection.get_table_list(cursor)}
        assert {"shelf_author", "shelf_book"} <= names, names
        columns = connection.introspection.get_table_description(cursor, "shelf_book")
        names = {column.name for column in columns}
        assert names == {"id", "title", "price", "at", "author_id"}, names


def migrations():
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User
    User.objects.filter(username="probe").delete()
    User.objects.create_user("probe", password="django's own")
    assert User.objects.get(username="probe").check_password("django's own")


for step in [globals()[name] for name in sys.argv[1:]]:
    step()
    print("ok", step.__name__)
