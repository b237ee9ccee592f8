package tidelock.security.google.compute_shielded_vm_test

import data.tidelock.fixture
import data.tidelock.security.google.compute_shielded_vm

found(changes) := result if {
	result := compute_shielded_vm.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

machine(config) := fixture.create("google_compute_instance", {"shielded_instance_config": config})

test_unshielded_is_found if {
	messages([machine([])]) == {"This machine is not wholly shielded: enable_secure_boot is not true."}
	messages([machine([{"enable_secure_boot": true, "enable_vtpm": false, "enable_integrity_monitoring": true}])]) == {"This machine is not wholly shielded: enable_vtpm is not true."}
}

test_shielded_passes if {
	count(found([machine([{"enable_secure_boot": true, "enable_vtpm": true, "enable_integrity_monitoring": true}])])) == 0
}
