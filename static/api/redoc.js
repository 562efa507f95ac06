// @ts-check
"use strict";

const place = /** @type {HTMLElement} */ (document.getElementById("docs"));

// @ts-ignore - defined by redoc.standalone.js
Redoc.init(place.dataset.document, { disableSearch: true, hideDownloadButton: false }, place);
