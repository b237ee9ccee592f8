package tidelock.security.aws.eks_public_api_test

import data.tidelock.fixture
import data.tidelock.security.aws.eks_public_api

found(changes) := result if {
	result := eks_public_api.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

cluster(config) := fixture.create("aws_eks_cluster", {"vpc_config": [config]})

test_open if {
	messages([cluster({})]) == {"0.0.0.0/0 may reach the API of the cluster."}
	count(found([fixture.with_unknown(cluster({"endpoint_public_access": true}), {"vpc_config": [{"public_access_cidrs": true}]})])) == 1
	count(found([cluster({"public_access_cidrs": ["198.51.100.0/24", "0.0.0.0/0"]})])) == 1
	count(found([fixture.create("aws_eks_node_group", {"remote_access": [{"ec2_ssh_key": "k"}]})])) == 1
}

test_others_pass if {
	count(found([
		cluster({"endpoint_public_access": false}),
		cluster({"public_access_cidrs": ["198.51.100.0/24"]}),
		fixture.create("aws_eks_node_group", {"remote_access": [{"ec2_ssh_key": "k", "source_security_group_ids": ["sg-1"]}]}),
	])) == 0
}
