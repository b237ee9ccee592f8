package tidelock.security.aws.guardduty_off_test

import data.tidelock.fixture
import data.tidelock.security.aws.guardduty_off

found(changes) := result if {
	result := guardduty_off.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_off if {
	messages([fixture.create("aws_guardduty_detector", {"enable": false})]) == {"GuardDuty is off: enable is false."}
	messages([fixture.create("aws_guardduty_organization_configuration", {"auto_enable_organization_members": "NONE"})]) == {"New accounts of the organisation are left without GuardDuty."}
}

test_on if {
	count(found([fixture.create("aws_guardduty_detector", {}), fixture.create("aws_guardduty_organization_configuration", {"auto_enable_organization_members": "ALL"})])) == 0
}
