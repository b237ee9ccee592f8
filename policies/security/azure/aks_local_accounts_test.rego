package tidelock.security.azure.aks_local_accounts_test

import data.tidelock.fixture
import data.tidelock.security.azure.aks_local_accounts

found(changes) := result if {
	result := aks_local_accounts.deny with input as fixture.input_of(changes)
}

cluster(after) := fixture.create("azurerm_kubernetes_cluster", after)

test_local_accounts_are_found if {
	count(found([cluster({})])) == 1
	count(found([cluster({"local_account_disabled": false})])) == 1
}

test_clusters_without_them_pass if {
	count(found([cluster({"local_account_disabled": true})])) == 0
}
