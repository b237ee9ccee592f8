package tidelock.security.aws.eks_secrets_test

import data.tidelock.fixture
import data.tidelock.security.aws.eks_secrets

found(changes) := result if {
	result := eks_secrets.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_without if {
	messages([fixture.create("aws_eks_cluster", {"encryption_config": []})]) == {"Secrets are not encrypted with a KMS key."}
}

test_with if {
	count(found([fixture.create("aws_eks_cluster", {"encryption_config": [{"resources": ["secrets"]}]})])) == 0
}
