package tidelock.security.azure.app_ftp_test

import data.tidelock.fixture
import data.tidelock.security.azure.app_ftp

found(changes) := result if {
	result := app_ftp.deny with input as fixture.input_of(changes)
}

app(config) := fixture.create("azurerm_windows_web_app", {"site_config": [config]})

test_ftp_is_found if {
	count(found([app({"ftps_state": "AllAllowed"})])) == 1
}

test_others_pass if {
	count(found([app({"ftps_state": "Disabled"}), app({"ftps_state": "FtpsOnly"}), app({})])) == 0
}
