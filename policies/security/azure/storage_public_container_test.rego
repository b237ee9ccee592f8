package tidelock.security.azure.storage_public_container_test

import data.tidelock.fixture
import data.tidelock.security.azure.storage_public_container

found(changes) := result if {
	result := storage_public_container.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

container(access) := fixture.create("azurerm_storage_container", {"container_access_type": access})

test_public_containers_are_denied if {
	messages([container("blob")]) == {`Anyone may read the blobs (container_access_type is "blob").`}
	messages([container("container")]) == {`Anyone may list and read the blobs (container_access_type is "container").`}
}

test_private_containers_pass if {
	count(found([container("private"), container(null)])) == 0
}

test_what_stays_passes if {
	count(found([fixture.noop("azurerm_storage_container", {"container_access_type": "blob"})])) == 0
}
