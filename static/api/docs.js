// @ts-check
"use strict";

const place = /** @type {HTMLElement} */ (document.getElementById("docs"));

// @ts-ignore - defined by swagger-ui-bundle.js
SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
});
