package tidelock.terraform_test

import data.tidelock.fixture
import data.tidelock.terraform.code
import data.tidelock.terraform.external_data
import data.tidelock.terraform.http_data
import data.tidelock.terraform.insecure_source
import data.tidelock.terraform.null_resource
import data.tidelock.terraform.provisioners
import data.tidelock.terraform.secret_defaults
import data.tidelock.terraform.source
import data.tidelock.terraform.unknown_registries
import data.tidelock.terraform.unmarked_outputs
import data.tidelock.terraform.unpinned_modules
import data.tidelock.terraform.unpinned_providers

given(root) := {"plan": {"resource_changes": [], "configuration": {"root_module": root}}}

providers(configs) := {"plan": {"configuration": {"provider_config": configs}}}

calling(sources) := given({"module_calls": {name: call |
	some name, source in sources
	call := object.union({"module": {}}, source)
}})

# nested(n, module) puts a module n levels down.
nested(0, module) := module

nested(n, module) := json.unmarshal(concat("", [around(n, `{"module_calls":{"a":{"source":"./a","module":`), json.marshal(module), around(n, `}}}`)])) if n > 0

around(n, text) := concat("", [text | some _ in numbers.range(1, n)])

path(n) := concat(".", ["module.a" | some _ in numbers.range(1, n)])

with_provisioner(type) := {"resources": [{"address": "null_resource.x", "mode": "managed", "type": "null_resource", "provisioners": [{"type": type}]}]}

test_a_plan_without_configuration_passes if {
	code.modules == [{"path": "", "module": {}}] with input as {"plan": {}}
	count(provisioners.deny) == 0 with input as {"plan": {}}
}

test_a_conftest_plan_is_read if {
	found := provisioners.deny with input as {"configuration": {"root_module": with_provisioner("local-exec")}}
	count(found) == 1
}

test_provisioners_at_every_level if {
	every n in [0, 1, 2, 9] {
		found := provisioners.deny with input as given(nested(n, with_provisioner("local-exec")))
		some f in found
		f.msg == "A local-exec provisioner runs commands that no plan shows."
		f.address == concat(".", array.concat([path(m) | m := n; m > 0], ["null_resource.x"]))
	}
}

test_what_is_too_deep_is_told if {
	found := provisioners.deny with input as given(nested(10, with_provisioner("local-exec")))
	{f.address | some f in found} == {path(9)}
	some f in found
	contains(f.msg, "nested too deeply")
}

test_harmless_provisioners_pass if {
	found := provisioners.deny with input as given(with_provisioner("file"))
	count(found) == 0
	strict := provisioners.deny with input as fixture.with_settings(given(with_provisioner("file")), "terraform", {"provisioners": ["file"]})
	count(strict) == 1
}

data_source(type) := {"address": sprintf("data.%s.x", [type]), "mode": "data", "type": type}

test_data_sources if {
	here := given({
		"resources": [data_source("external"), data_source("aws_ami"), {"address": "external.x", "mode": "managed", "type": "external"}],
		"module_calls": {"a": {"source": "./a", "module": {"resources": [data_source("http")]}}},
	})
	programs := external_data.deny with input as here
	{f.address | some f in programs} == {"data.external.x"}
	web := http_data.deny with input as here
	{f.address | some f in web} == {"module.a.data.http.x"}
}

test_data_sources_by_setting if {
	here := fixture.with_settings(given({"resources": [data_source("external"), data_source("http")]}), "terraform", {"program_types": ["http"], "web_types": []})
	programs := external_data.deny with input as here
	{f.address | some f in programs} == {"data.http.x"}
	web := http_data.deny with input as here
	count(web) == 0
}

unpinned(source, version) := messages if {
	call := {"source": source, "version_constraint": version}
	found := unpinned_modules.deny with input as calling({"a": call})
	messages := [f.msg | some f in found; f.address == "module.a"]
}

test_unpinned_registry_modules if {
	unpinned("terraform-aws-modules/vpc/aws", "") == ["This module has no version."]
	unpinned("app.terraform.io/acme/vpc/aws//modules/x", ">= 1.0") == ["The version \">= 1.0\" lets any newer one in."]
	found := unpinned_modules.deny with input as calling({"a": {"source": "terraform-aws-modules/vpc/aws"}})
	count(found) == 1
}

test_pinned_registry_modules if {
	every version in ["5.1.0", "= 5.1.0", "=5.1.0", "~> 5.1", ">= 5.0, < 6.0", "v1.2.3", "<= 2"] {
		unpinned("terraform-aws-modules/vpc/aws", version) == []
	}
}

test_unpinned_git_modules if {
	every source in [
		"git::https://git.example.com/vpc.git", "github.com/acme/vpc", "github.com/acme/vpc//modules/a",
		"git@github.com:acme/vpc.git", "git::ssh://git@example.com/vpc.git//sub", "https://git.example.com/vpc.git",
		"gitlab.com/acme/vpc",
	] {
		count(unpinned(source, "")) == 1
	}
	every ref in ["main", "master", "feature/login", "refs/heads/v1.2", "HEAD", "stable", "release"] {
		unpinned(sprintf("github.com/acme/vpc?depth=1&ref=%s", [ref]), "") == [sprintf("The ref %q looks like a branch, which moves.", [ref])]
	}
}

test_pinned_git_modules if {
	every ref in ["v1.2.3", "1.2.3", "vpc/v1.2.3", "vpc-1.0", "v2", "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567", "0a1b2c3", "refs/tags/stable"] {
		unpinned(sprintf("git::https://git.example.com/vpc.git//sub?ref=%s", [ref]), "") == []
	}
}

test_local_and_archived_modules_need_no_version if {
	every source in ["./modules/vpc", "../vpc", `..\vpc`, "https://example.com/vpc.zip", "s3::https://s3.amazonaws.com/acme/vpc.zip"] {
		unpinned(source, "") == []
	}
}

test_hosts if {
	source.host("git::https://user@git.example.com:8443/vpc.git") == "git.example.com"
	source.host("git@github.com:acme/vpc.git") == "github.com"
	source.host("git::ssh://git@Example.com/vpc.git") == "example.com"
	source.host("github.com/acme/vpc") == "github.com"
	source.host("s3::https://s3.amazonaws.com/acme/vpc.zip") == "s3.amazonaws.com"
	not source.host("./vpc")
	not source.host("acme/vpc/aws")
	source.registry_host("app.terraform.io/acme/vpc/aws//x") == "app.terraform.io"
	not source.registry_host("acme/vpc/aws")
}

aws(extra) := object.union({"name": "aws", "full_name": "registry.terraform.io/hashicorp/aws"}, extra)

test_unpinned_providers if {
	found := unpinned_providers.deny with input as providers({
		"aws": aws({}),
		"google": {"name": "google", "full_name": "registry.terraform.io/hashicorp/google", "version_constraint": ">= 5.0"},
	})
	{f.msg | some f in found} == {"The provider aws has no version constraint.", "The constraint \">= 5.0\" lets any newer version of the provider google in."}
}

test_pinned_providers if {
	found := unpinned_providers.deny with input as providers({
		"aws": aws({"version_constraint": "~> 6.0"}),
		"aws.west": aws({"version_constraint": "~> 6.0", "alias": "west"}),
		"module.a:aws": aws({"module_address": "module.a", "version_constraint": ">= 5.0"}),
		"terraform": {"name": "terraform", "full_name": "terraform.io/builtin/terraform"},
	})
	count(found) == 0
}

strange(given_input) := {f.msg | some f in found} if found := unknown_registries.deny with input as given_input

test_known_places_pass if {
	count(strange(providers({"aws": aws({}), "terraform": {"full_name": "terraform.io/builtin/terraform"}, "g": {"full_name": "registry.opentofu.org/hashicorp/google"}}))) == 0
	count(strange(calling({"a": {"source": "acme/vpc/aws"}, "b": {"source": "./b"}, "c": {"source": "github.com/acme/vpc"}}))) == 0
}

test_unknown_registries if {
	strange(providers({"aws": {"name": "aws", "full_name": "registry.example.net/hashicorp/aws"}})) == {"The provider registry.example.net/hashicorp/aws comes from the registry registry.example.net, which is not among the known ones."}
	strange(calling({"a": {"source": "app.terraform.io/acme/vpc/aws"}})) == {"This module comes from the registry app.terraform.io, which is not among the known ones."}
}

test_places_by_setting if {
	mine := {"registries": ["*.terraform.io"], "module_hosts": ["*.example.com"], "provider_namespaces": ["hashicorp"]}
	count(strange(fixture.with_settings(calling({"a": {"source": "app.terraform.io/acme/vpc/aws"}, "b": {"source": "git::https://git.example.com/b"}}), "terraform", mine))) == 0
	strange(fixture.with_settings(calling({"a": {"source": "github.com/acme/vpc"}}), "terraform", mine)) == {"This module comes from github.com, which is not among the known hosts."}
	strange(fixture.with_settings(providers({"x": {"full_name": "registry.terraform.io/stranger/x"}}), "terraform", mine)) == {"The provider registry.terraform.io/stranger/x is of the namespace stranger, which is not among the known ones."}
}

test_open_lines if {
	every source in ["http://example.com/vpc.zip", "git::http://example.com/vpc.git", "git://example.com/vpc.git"] {
		found := insecure_source.deny with input as calling({"a": {"source": source}})
		count(found) == 1
	}
	some f in insecure_source.deny with input as calling({"a": {"source": "git::http://example.com/vpc.git?ref=v1.0"}})
	f.msg == "This module is fetched by http://, which anyone on the way can change."
}

test_safe_lines_pass if {
	found := insecure_source.deny with input as calling({"a": {"source": "git::https://example.com/vpc.git"}, "b": {"source": "acme/vpc/aws"}, "c": {"source": "git::ssh://git@example.com/x"}, "d": {"source": "./http"}})
	count(found) == 0
}

output(ref, extra) := object.union({"expression": {"references": [ref]}}, extra)

sensitive_password := object.union(fixture.create("random_password", {}), {"change": {"after_sensitive": {"result": true, "bcrypt_hash": false}}})

outputs_of(outputs) := {"plan": {
	"resource_changes": [sensitive_password, object.union(sensitive_password, {"module_address": "module.a", "name": "in_module"})],
	"configuration": {"root_module": {"variables": {"secret": {"sensitive": true}, "open": {}}, "outputs": outputs}},
}}

test_secrets_in_outputs if {
	found := unmarked_outputs.deny with input as outputs_of({"a": output("var.secret", {}), "b": output("random_password.x[0].result", {})})
	{f.address | some f in found} == {"output.a", "output.b"}
}

test_open_and_marked_outputs_pass if {
	found := unmarked_outputs.deny with input as outputs_of({
		"a": output("var.secret", {"sensitive": true}), "b": output("random_password.x.bcrypt_hash", {}), "c": output("var.open", {}),
		"d": output("random_password.in_module.result", {}), "e": output("random_password.y.result", {}), "f": output("module.a.x", {}),
	})
	count(found) == 0
}

defaulted(variables) := {f.address | some f in found} if found := secret_defaults.deny with input as given(nested(1, {"variables": variables}))

test_secret_defaults if {
	defaulted({"db_password": {"default": "a"}, "API_KEY": {"default": "a"}, "plain": {"default": "a", "sensitive": true}, "token": {"default": "x"}}) == {
		"module.a.var.db_password", "module.a.var.API_KEY", "module.a.var.plain", "module.a.var.token",
	}
}

test_other_defaults_pass if {
	defaulted({
		"password": {}, "secret": {"default": null, "sensitive": true}, "token": {"default": ""}, "secret_name": {"default": "a"},
		"password_length": {"default": 20}, "key": {"default": "a"}, "name": {"default": "a"}, "private_key": {"default": {}},
	}) == set()
}

test_secret_names_by_setting if {
	here := fixture.with_settings(given({"variables": {"pin": {"default": "1234"}, "password": {"default": "a"}}}), "terraform", {"secret_names": ["^pin$"]})
	found := secret_defaults.deny with input as here
	{f.address | some f in found} == {"var.pin"}
}

test_secret_names_that_cannot_be_read_are_told if {
	found := secret_defaults.deny with input as fixture.with_settings(given({}), "terraform", {"secret_names": ["("]})
	{f.msg | some f in found} == {`The setting terraform.secret_names has "(", which is no regular expression.`}
}

test_new_null_resources_are_told if {
	found := null_resource.deny with input as fixture.input_of([fixture.create("null_resource", {})])
	count(found) == 1
	old := null_resource.deny with input as fixture.input_of([fixture.update("null_resource", {}), fixture.noop("null_resource", {}), fixture.replace("null_resource", {}), fixture.create("terraform_data", {})])
	count(old) == 0
}
