package tidelock.compliance.frameworks_test

import data.tidelock.compliance.frameworks.frameworks

test_every_framework_has_a_title_and_controls if {
	every _, framework in frameworks {
		framework.title != ""
		count(framework.controls) > 0
		every id, title in framework.controls {
			regex.match(`^([0-9]+(\.[0-9]+)+|A\.[58]\.[0-9]+|(CC|A|C|PI)[0-9]\.[0-9])$`, id)
			title != ""
		}
	}
}
