// Shows ../openapi.yaml in the bundled viewer: reading only, nothing is sent to the API or to anybody else.

const DOCUMENT = "../openapi.yaml";

async function show() {
  const answer = await fetch(DOCUMENT);
  if (!answer.ok) throw new Error(`${DOCUMENT}: HTTP ${answer.status}`);
  Scalar.createApiReference("#reference", {
    content: await answer.text(),
    agent: { disabled: true },
    mcp: { disabled: true },
    telemetry: false,
    withDefaultFonts: false,
    hideClientButton: true,
    hideTestRequestButton: true,
    showDeveloperTools: "never",
    documentDownloadType: "none",
    defaultOpenAllTags: true,
    defaultHttpClient: { targetKey: "shell", clientKey: "curl" },
  });
}

show().catch((error) => {
  const failure = document.createElement("p");
  failure.className = "failure";
  failure.textContent =
    location.protocol === "file:"
      ? "A browser reads openapi.yaml through a web server only: run `make reference`."
      : `The document cannot be shown: ${error.message}`;
  document.getElementById("reference").replaceChildren(failure);
});
