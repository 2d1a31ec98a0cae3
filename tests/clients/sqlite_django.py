"""Django's introspection of a database, as JSON: run in a process of its own, for its settings are
global. Usage: sqlite_django.py HOST PORT DATABASE USER PASSWORD"""
import io
import json
import sys

import django
from django.conf import settings

host, port, database, user, password = sys.argv[1:6]
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": database, "USER": user,
                           "PASSWORD": password, "HOST": host, "PORT": port}},
    INSTALLED_APPS=[], USE_TZ=False, DEFAULT_AUTO_FIELD="django.db.models.AutoField")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402

out = io.StringIO()
call_command("inspectdb", "authors", "books", "tags", stdout=out)
found = {"inspectdb": out.getvalue()}
with connection.cursor() as cursor:
    found["tables"] = [[t.name, t.type] for t in connection.introspection.get_table_list(cursor)]
    found["constraints"] = connection.introspection.get_constraints(cursor, "books")
    found["relations"] = connection.introspection.get_relations(cursor, "books")


class Note(models.Model):
    title = models.CharField(max_length=40, unique=True)
    body = models.TextField(null=True)
    written = models.DateTimeField(null=True)
    stars = models.IntegerField(default=0)

    class Meta:
        app_label = "notes"


with connection.schema_editor() as editor:
    editor.create_model(Note)
Note.objects.create(title="first", stars=3, written="2024-03-31 12:30:00")
with transaction.atomic():
    Note.objects.create(title="second", stars=4)
found["count"] = Note.objects.filter(stars__gte=3).count()
found["contains"] = list(Note.objects.filter(title__icontains="SEC").values_list("title", flat=True))
found["startswith"] = list(Note.objects.filter(title__startswith="fi").values_list("id", flat=True))
found["year"] = Note.objects.filter(written__year=2024).count()
found["month"] = [str(m) for m in Note.objects.exclude(written=None).dates("written", "month")]
found["stars"] = Note.objects.aggregate(total=models.Sum("stars"))["total"]
print(json.dumps(found))
