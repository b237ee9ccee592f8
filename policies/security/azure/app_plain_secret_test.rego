package tidelock.security.azure.app_plain_secret_test

import data.tidelock.fixture
import data.tidelock.security.azure.app_plain_secret

found(changes) := result if {
	result := app_plain_secret.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

app(settings) := fixture.create("azurerm_linux_web_app", {"app_settings": settings})

group(variables) := fixture.create("azurerm_container_group", {"container": [{"environment_variables": variables}]})

test_secrets_are_found_by_their_names if {
	messages([app({"DATABASE_PASSWORD": "correct-horse"})]) == {"The setting DATABASE_PASSWORD holds its secret in clear text."}
	count(found([app({"Orders__ApiKey": "abcdef", "SQL_CONNECTION_STRING": "Server=a"})])) == 2
	messages([group({"API_TOKEN": "abcdef"})]) == {"The variable API_TOKEN holds its secret in clear text: it belongs into secure_environment_variables."}
}

test_others_pass if {
	count(found([
		app({"DATABASE_PASSWORD": "@Microsoft.KeyVault(SecretUri=https://a)"}),
		app({"WEBSITE_RUN_FROM_PACKAGE": "1", "TOKEN_ENDPOINT": "https://a", "USE_TOKEN": "true"}),
		app({"APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=a"}),
		app({"DATABASE_PASSWORD": ""}),
		group({"LOG_LEVEL": "debug"}),
	])) == 0
}
