package tidelock.security.azure.key_vault_rbac_test

import data.tidelock.fixture
import data.tidelock.security.azure.key_vault_rbac

found(changes) := result if {
	result := key_vault_rbac.deny with input as fixture.input_of(changes)
}

vault(after) := fixture.create("azurerm_key_vault", after)

test_access_policies_are_found if {
	count(found([vault({"rbac_authorization_enabled": false})])) == 1
	count(found([vault({})])) == 1
	count(found([fixture.with_unknown(vault({}), {"rbac_authorization_enabled": true, "enable_rbac_authorization": true})])) == 1
}

# azurerm 4 knows both names and fills in the one that is not set.
test_roles_pass_under_either_name if {
	count(found([vault({"rbac_authorization_enabled": true})])) == 0
	count(found([vault({"enable_rbac_authorization": true})])) == 0
	count(found([fixture.with_unknown(vault({"enable_rbac_authorization": true}), {"rbac_authorization_enabled": true})])) == 0
	count(found([fixture.with_unknown(vault({"enable_rbac_authorization": false}), {"rbac_authorization_enabled": true})])) == 1
}
