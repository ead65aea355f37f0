"""The marks by which walls before a page are known: who put them up, and what they look like.

What also stands on ordinary pages of the same provider is in `WEAK`, and counts only where there
is nothing to read. Providers change their pages: a wall that passes unknown is added here, with a
page of it under tests/scraping/walls/.
"""

from __future__ import annotations

import re

# (header, value): the wall names itself.
HEADERS = {
    ("cf-mitigated", "challenge"): "Cloudflare's challenge",
    ("x-vercel-mitigated", "challenge"): "Vercel's challenge",
    ("x-amzn-waf-action", "challenge"): "AWS WAF's challenge",
    ("x-amzn-waf-action", "captcha"): "AWS WAF's captcha",
}

# Pieces of markup and scripts that only a wall has.
MARKS: dict[str, tuple[bytes, ...]] = {
    "Cloudflare's challenge": (
        b"_cf_chl_opt",
        b"/orchestrate/chl_page/",
        b"/orchestrate/jsch/",
        b"/orchestrate/managed/",
        b"__cf_chl_f_tk",
        b"__cf_chl_tk",
        b"__cf_chl_captcha_tk__",
        b"__cf_chl_jschl_tk__",
        b"cf-browser-verification",
    ),
    "Cloudflare's refusal": (b'id="cf-error-details"', b"id='cf-error-details'"),
    "Akamai's challenge": (
        b"sec-if-cpt-container",
        b"sec-cpt-if",
        b"/_sec/cp_challenge/",
        b"bm-verify=",
    ),
    "HUMAN's (PerimeterX) challenge": (
        b'id="px-captcha"',
        b"id='px-captcha'",
        b"captcha.px-cdn.net",
        b"_pxBlockedUrl",
        b"px-captcha-error",
    ),
    "DataDome's challenge": (
        b"geo.captcha-delivery.com",
        b"ct.captcha-delivery.com",
        b"interstitial.captcha-delivery.com",
    ),
    "Imperva's challenge": (
        b"_Incapsula_Resource?CWUDNSAI",
        b"_Incapsula_Resource?SWUDNSAI",
        b"/_Incapsula_Resource?SWHANEDL",
        b"distil_r_captcha",
    ),
    "AWS WAF's challenge": (
        b"window.gokuProps",
        b"awsWafCookieDomainList",
        b"captcha.awswaf.com",
    ),
    "Anubis' challenge": (b"anubis_challenge", b"/.within.website/x/cmd/anubis/"),
    "go-away's challenge": (b"/.well-known/.git.gammaspectra.live/git/go-away/",),
    "Sucuri's challenge": (b"sucuri_cloudproxy_js", b"sucuri_cloudproxy_uuid"),
    "DDoS-Guard's challenge": (
        b"/.well-known/ddos-guard/js-challenge",
        b"check.ddos-guard.net/check.js",
    ),
    "Bunny Shield's challenge": (b"/.bunny-shield/",),
    "Vercel's challenge": (b"/.well-known/vercel/security/",),
    "Fastly's challenge": (b"/_fs-ch-",),
    "Radware's challenge": (b"validate.perfdrive.com",),
    "SiteGround's challenge": (b"/.well-known/captcha/?r=", b"/.well-known/sgcaptcha/"),
    "LiteSpeed's challenge": (b"/.lsrecap/recaptcha",),
    "Alibaba Cloud's challenge": (b"acw_sc__v2", b"/_____tmd_____/"),
    "Qrator's challenge": (b"/__qrator/",),
    "Amazon's robot check": (b"/errors/validateCaptcha",),
    "Yandex' robot check": (b"/checkcaptcha?", b"/checkcaptchafast?"),
    "a test for cookies": (b"slowAES.decrypt(",),
}
# The same providers' ordinary pages may carry these.
WEAK: dict[str, tuple[bytes, ...]] = {
    "Imperva's challenge": (b"/_Incapsula_Resource?",),
    "Kasada's challenge": (b"window.KPSDK", b"/149e9513-01fa-4fb0-aad4-566afd725d1b/"),
    "F5's challenge": (b"/TSPD/", b"window.bobcmn"),
    "Reblaze's challenge": (b"window.rbzns",),
    "Imunify360's challenge": (b"wsidchk",),
    "DataDome's challenge": (b"captcha-delivery.com",),
}
# Whole titles, in small letters and without punctuation at the end.
TITLES: dict[str, tuple[str, ...]] = {
    "Cloudflare's challenge": ("just a moment", "please wait... | cloudflare"),
    "Cloudflare's refusal": ("attention required! | cloudflare", "access denied | cloudflare"),
    "HUMAN's (PerimeterX) challenge": (
        "access to this page has been denied",
        "access to this page has been denied.",
    ),
    "Imperva's challenge": ("pardon our interruption",),
    "Anubis' challenge": ("making sure you're not a bot", "making sure you’re not a bot"),
    "AWS WAF's challenge": ("human verification",),
    "Vercel's challenge": ("vercel security checkpoint",),
    "Fastly's challenge": ("client challenge",),
    "DDoS-Guard's challenge": ("ddos-guard",),
    "Imunify360's challenge": ("one moment, please",),
    "Sucuri's refusal": ("sucuri website firewall - access denied",),
    "Radware's challenge": ("radware bot manager captcha", "radware captcha page"),
    "a robot check": (
        "robot check",
        "robot or human",
        "you have been blocked",
        "are you a robot",
        "are you a human",
        "are you human",
        "bot verification",
        "security check",
        "security verification",
        "checking your browser",
        "captcha challenge",
        "verifying your browser",
    ),
}
# Sentences that open a wall's text.
SENTENCES: dict[str, tuple[str, ...]] = {
    "Imperva's refusal": ("incapsula incident id",),
    "F5's refusal": ("the requested url was rejected. please consult with your administrator",),
    "F5's challenge": ("please enable javascript to view the page content. your support id is",),
    "Google's robot check": ("detected unusual traffic from your computer network",),
    "Cloudflare's challenge": (
        "needs to review the security of your connection before proceeding",
        "checking your browser before accessing",
        "enable javascript and cookies to continue",
    ),
    "Wordfence's refusal": ("your access to this site has been limited by the site owner",),
    "Imperva's challenge": ("as you were browsing something about your browser made us think",),
    "Akamai's refusal": ("errors.edgesuite.net",),
}
# … unless the page is one that talks about them.
QUOTING = re.compile(rb"<(?:article|pre|code|blockquote|q|img|time)\b", re.IGNORECASE)

# Widgets that also stand in ordinary forms; a gate is one with a gate's words and no other field.
CAPTCHA = re.compile(
    rb"g-recaptcha|h-captcha|cf-turnstile|frc-captcha|/recaptcha/(?:api|enterprise)\.js"
    rb"|hcaptcha\.com/|challenges\.cloudflare\.com/turnstile|api\.arkoselabs\.com"
)
CAPTCHA_WORDS = re.compile(
    r"\b(?:not an? (?:ro)?bot|are you (?:an? )?(?:human|(?:ro)?bot)|unusual (?:traffic|activity)"
    r"|(?:you are|you're|you’re) (?:an? )?(?:real )?human|(?:verify|verifying|prove) (?:that )?you"
    r"|human verification|(?:security|bot|robot) (?:check|verification)"
    r"|(?:solve|complete) th[ei]s? (?:captcha|security check)|checking your browser)\b",
    re.IGNORECASE,
)
FIELD = re.compile(
    rb"<select\b|<textarea\b(?![^<>]{0,200}captcha)"
    rb"|<input\b(?![^<>]{0,300}(?:captcha|type\s*=\s*[\"']?(?:hidden|submit|button|image|checkbox)))",
    re.IGNORECASE,
)
COOKIE_WORDS = re.compile(
    r".{0,40}?(?:enable (?:javascript and )?cookies|cookies (?:are (?:disabled|required|blocked"
    r"|turned off|not enabled)|must be enabled)|(?:does not|doesn't) accept cookies)",
    re.IGNORECASE | re.DOTALL,
)
COOKIE_SCRIPT = re.compile(
    rb"document\.cookie\s*=.{0,2000}?location(?:\.href\s*=|\.reload|\.replace|\s*=)", re.DOTALL
)

PASSWORD = re.compile(rb"<input\b[^<>]{0,500}?\btype\s*=\s*[\"']?password\b", re.IGNORECASE)
LOGIN_PATH = re.compile(
    r"(?:^|[/_.-])(?:log-?in|log-?on|sign-?in|sign_in|sign-?on|wp-login|auth|authenticate"
    r"|authorize|sso|saml2?|cas|oauth2?|oidc|adfs|shibboleth|servicelogin|sessions?/new|anmelden"
    r"|anmeldung|einloggen|connexion|acceso|accedi|inloggen)(?:[/_.-]|$)",
    re.IGNORECASE,
)
LOGIN_QUERY = re.compile(
    r"(?:^|&)(?:action|page|do|view|mode|task|op|act|route|r|p|title)=[^&]{0,40}"
    r"(?:log-?in|sign-?in|userlogin)(?:&|$)",
    re.IGNORECASE,
)
LOGIN_HOST = re.compile(r"(?:login|signin|accounts?|auth|sso|idp|oauth|identity)\.", re.IGNORECASE)
LOGIN_WORDS = re.compile(
    r"\b(?:log ?-?(?:in|on)|sign ?-?(?:in|on)|anmelden|anmeldung|einloggen|connexion|se connecter"
    r"|identifiez-vous|iniciar sesi[oó]n|acceder|accedi|entrar|inloggen|aanmelden|logga in|logg inn"
    r"|log ind|zaloguj|logowanie|přihlášení|prihlásenie|bejelentkezés|autentificare|members only"
    r"|kirjaudu|giriş yap|authentication required)\b|войти|вход|увійти|ログイン|登录|登入|로그인",
    re.IGNORECASE,
)

# Where a script puts the page that it builds.
ROOT = re.compile(
    rb"<(?:div|main|section)\b[^<>]{0,300}?\bid\s*=\s*[\"']?(?:root|app|__next|__nuxt|___gatsby|q-app"
    rb"|main|app-?root|react-?(?:root|app)|svelte|mount|application|ember[0-9]*|spa|container"
    rb"|app-container|gatsby-focus-wrapper)[\"'\s/>]"
    rb"|<[a-z]{1,30}(?:-[a-z]{1,30}){1,4}\b[^<>]{0,300}>\s*(?:Loading[^<]{0,20})?</[a-z]",
    re.IGNORECASE,
)
# All that a page may say and still be one that is only being built.
LOADING = re.compile(
    r"\W*(?:(?:loading|please wait|one moment(?: please)?|lädt|wird geladen|bitte warten|chargement"
    r"|cargando|caricamento|carregando|laden|ładowanie|загрузка|読み込み中|加载中)\W*){0,3}",
    re.IGNORECASE,
)
SCRIPT_FROM = re.compile(
    rb"<script\b[^<>]{0,500}?(?:\bsrc\s*=|\btype\s*=\s*[\"']?module)", re.IGNORECASE
)
# Something to see on a page …
SHOWN = re.compile(
    rb"<(?:img|picture|video|audio|canvas|table|form|input|iframe|frame|object|embed|article"
    rb"|h[1-6]|li|dt|pre|a)\b",
    re.IGNORECASE,
)
# … or data that it brings with it.
DATA = re.compile(
    rb"application/(?:ld\+)?json|text/json|__NEXT_DATA__|__NUXT|__INITIAL_|INITIAL_STATE|__APOLLO_"
    rb"|__PRELOADED_|__remixContext|__staticRouterHydrationData|self\.__next_f|drupal-settings-json"
)
