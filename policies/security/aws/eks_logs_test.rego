package tidelock.security.aws.eks_logs_test

import data.tidelock.fixture
import data.tidelock.security.aws.eks_logs

found(changes) := result if {
	result := eks_logs.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_missing if {
	messages([fixture.create("aws_eks_cluster", {"enabled_cluster_log_types": ["api"]})]) == {"These logs are off: audit, authenticator."}
	count(found([fixture.create("aws_eks_cluster", {})])) == 1
}

test_all if {
	count(found([fixture.create("aws_eks_cluster", {"enabled_cluster_log_types": ["api", "audit", "authenticator", "scheduler"]})])) == 0
}
