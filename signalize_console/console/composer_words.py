"""What the composer's scripts say, and know."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from signalize_console.console.links import may_ask
from signalize_console.messaging.limits import PLATFORMS
from signalize_console.messaging.models import Media

WORDS = {
    "add": _("Add"),
    "addBrowser": _("Add a browser by its recipient id"),
    "addThis": _("Add this browser"),
    "broken": _("This picture can't be loaded. Check its address."),
    "browserName": _("Name"),
    "browserNameExample": _("My phone"),
    "choose": _("Choose …"),
    "close": _("Close"),
    "cut": _("cut on"),
    "delete": _("Delete"),
    "emoji": _("Emoji"),
    "failed": _("That did not work. Try again, or reload the page."),
    "fallback": _("Fallback"),
    "fallbackHelp": _("The fallback is read by those who have no value. Without one they get no message."),
    "forbidden": _("You may not do this, or the message is no draft any more. Reload the page."),
    "insert": _("Insert"),
    "loading": _("One moment …"),
    "mediaLibrary": _("Media library"),
    "more": _("Show more"),
    "myBrowsers": _("My browsers"),
    "noBrowsers": _("None of your browsers is known on this website yet."),
    "noEmoji": _("No emoji has such a name."),
    "noNames": _("Recipients of this website have no attributes yet. Your site sets them by script or API."),
    "noPictures": _("There is none of this kind yet."),
    "noRemarks": _("Nothing to remark"),
    "notSaved": _("Not saved yet."),
    "offline": _("The console can't be reached. What you wrote is still here."),
    "ownLanguage": _("each browser's own language"),
    "placeholder": _("Placeholder"),
    "placeholderForm": _("A name has letters, digits and underscores, and no digit at its beginning."),
    "placeholderName": _("Name"),
    "placeholderNames": _("Attributes of this website's recipients"),
    "placeholderTool": _("Placeholder"),
    "recipientId": _("Recipient id"),
    "recipientIdHelp": _(
        "On a page of the website, et_signalize.getClientId() in the browser's own console tells it."
    ),
    "remarks": _("To consider: {count}"),
    "remove": _("Remove"),
    "saved": _("Saved"),
    "saving": _("Saving …"),
    "searchEmoji": _("Search, such as gift"),
    "testFollow": _("See what became of it"),
    "testHelp": _(
        "The draft as it is now goes to your own browsers. It is marked as a test, and counted nowhere."
    ),
    "testLanguage": _("Text"),
    "testSend": _("Send the test"),
    "testSent": _("It is on its way."),
    "testTitle": _("Test on my browsers"),
    "tools": _("Insert"),
    "unreachable": _("not subscribed any more"),
    "upload": _("Upload a PNG, JPEG or WebP"),
    "uploading": _("Uploading …"),
    "utm": _("Campaign parameters (UTM)"),
    "utmAll": _("In all links of this message"),
    "utmSet": _("Set"),
    "utmTool": _("UTM …"),
    "websiteFirst": _("Choose the website first, under Audience."),
}


def told(request: HttpRequest, site: AdminSite, **urls: str) -> dict[str, Any]:
    """All that the scripts know: words, platforms, and the addresses that this person may use."""
    media = site.get_model_admin(Media)
    addresses = {
        "placeholders": reverse("admin:messaging_pushmessage_placeholders"),
        "remarks": reverse("admin:messaging_pushmessage_remarks"),
        "links": reverse("admin:messaging_pushmessage_links") if may_ask(request.user) else "",
        "pictures": reverse("admin:messaging_media_choose") if media.has_view_permission(request) else "",
        "upload": reverse("admin:messaging_media_upload") if media.has_add_permission(request) else "",
        **urls,
    }
    return {"words": WORDS, "platforms": [one._asdict() for one in PLATFORMS], "urls": addresses}
