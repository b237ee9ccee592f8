package tidelock.terraform.settings

# METADATA
# title: Provisioners that are found fault with
# description: Types of provisioners.
# custom:
#   tighter: more
default provisioners := ["local-exec", "remote-exec"]

provisioners := input.settings.terraform.provisioners

# METADATA
# title: Data sources that run programs
# description: Types of data sources that start a program while Terraform plans.
# custom:
#   tighter: more
default program_types := ["external", "shell_script"]

program_types := input.settings.terraform.program_types

# METADATA
# title: Data sources that fetch from the web
# description: Types of data sources that ask any address on the web while Terraform plans.
# custom:
#   tighter: more
default web_types := ["http"]

web_types := input.settings.terraform.web_types

# METADATA
# title: Registries
# description: Hosts that providers and modules may come from as registries. A star stands for any letters.
# custom:
#   tighter: fewer
default registries := ["registry.terraform.io", "registry.opentofu.org"]

registries := input.settings.terraform.registries

# METADATA
# title: Namespaces of providers
# description: Whose providers may be used, as hashicorp in hashicorp/aws. A star stands for any letters.
# custom:
#   tighter: fewer
default provider_namespaces := ["*"]

provider_namespaces := input.settings.terraform.provider_namespaces

# METADATA
# title: Hosts of modules
# description: Hosts that modules may be fetched from by git, HTTPS or from buckets. A star stands for any letters.
# custom:
#   tighter: fewer
default module_hosts := ["*"]

module_hosts := input.settings.terraform.module_hosts

# METADATA
# title: Names of secrets
# description: Regular expressions; a variable whose name fits one is taken to hold a secret. Case does not matter.
# custom:
#   tighter: more
default secret_names := [
	`(^|_)(password|passwd|pwd|passphrase|secret|token|credentials?)$`,
	`(^|_)(api|access|private|secret|encryption|signing|master|account)_?key$`,
	`(^|_)connection_string$`,
]

secret_names := input.settings.terraform.secret_names
