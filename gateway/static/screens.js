"use strict";
// The library's scripts ask a cookie for the form token; here the page itself carries it.
(function () {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const library = window.Cookies;
  window.Cookies = Object.assign(Object.create(library), {
    get: function (name) {
      return name === "starlette_admin_csrftoken" ? token : library.get(name);
    },
  });
  document.addEventListener("change", function (event) {
    if (event.target.matches("select[data-goes]")) window.location = event.target.value;
  });
  document.addEventListener("submit", function (event) {
    const form = event.target;
    const question = form.dataset.confirm;
    if (question && !window.confirm(question)) {
      event.preventDefault();
      return;
    }
    // A second click must not send a form again.
    form.querySelectorAll("button[type=submit]").forEach(function (button) {
      window.setTimeout(function () { button.disabled = true; }, 0);
      window.setTimeout(function () { button.disabled = false; }, 8000);
    });
  });
})();
