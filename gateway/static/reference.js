"use strict";
/* Requests of "Try it out" go to this host only and carry the login of the page. */
const place = document.getElementById("reference");
window.SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  docExpansion: "none",
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: false,
  validatorUrl: null,
  deepLinking: true,
});
