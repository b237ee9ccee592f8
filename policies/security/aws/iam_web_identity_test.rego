package tidelock.security.aws.iam_web_identity_test

import data.tidelock.fixture
import data.tidelock.security.aws.iam_web_identity

found(changes) := result if {
	result := iam_web_identity.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

role(provider, condition) := fixture.create("aws_iam_role", {"assume_role_policy": json.marshal({"Statement": [object.union(
	{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": sprintf("arn:aws:iam::111122223333:oidc-provider/%s", [provider])}},
	{"Condition": condition},
)]})})

github := "token.actions.githubusercontent.com"

test_no_subject if {
	messages([role(github, {})]) == {"A statement lets every customer of token.actions.githubusercontent.com take the role: no condition names the subject of the token."}
	count(found([role(github, {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}})])) == 1
}

test_subject_of_all if {
	every subject in ["*", "repo:*", "repo:*/*:ref:refs/heads/main"] {
		count(found([role(github, {"StringLike": {"token.actions.githubusercontent.com:sub": subject}})])) == 1
	}
}

test_named_subjects_pass if {
	count(found([
		role(github, {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/*"}}),
		role(github, {"StringEquals": {"token.actions.githubusercontent.com:sub": ["repo:acme/a:environment:prod", "repo:acme/b:environment:prod"]}}),
		role("gitlab.com", {"StringLike": {"gitlab.com:sub": "project_path:acme/*"}}),
		role("accounts.google.com", {"StringEquals": {"accounts.google.com:aud": "1234"}}),
		role("oidc.eks.eu-west-1.amazonaws.com/id/ABC", {}),
	])) == 0
}
