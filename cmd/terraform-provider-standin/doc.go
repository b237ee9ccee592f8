// Command terraform-provider-standin is a Terraform provider that answers to
// the aws, azurerm and google resource types and touches no cloud.
//
// Tidelock's demo, tests and benches plan and apply real configurations with
// the real resource types through a real Terraform, offline and for nothing.
// Which provider the program is, it reads from its own file name:
// terraform-provider-aws_v6.14.1 serves aws, and so on.
//
// # What it promises
//
//   - The types and attributes that price, policy and ordinary configurations
//     read, with the behaviour that shapes a plan: what is required, what is
//     known only after apply, what is sensitive, what forces a replacement,
//     default tags. An attribute or a type that it does not know is an error,
//     as it would be with the real provider.
//   - It opens no connection but the one to Terraform. Credentials in a
//     provider block are accepted and never used. Its objects show their
//     nature: account 000000000000, subscription 00000000-…, addresses from
//     the documentation ranges.
//   - With standin_dir in the provider block, or TIDELOCK_STANDIN_DIR in the
//     environment, every object is a file in that folder. Then an object that
//     somebody deletes or edits there is drift, import reads it, a name that
//     is taken is refused, and what a killed apply had created is still there.
//     One file an object, created exclusively and replaced by renaming: any
//     number of processes can share the folder. Sensitive attributes are not
//     written to it.
//   - With neither, the state is the only record of an object.
//   - A name can ask for a failure, see [drill].
//
// # What it does not do
//
// It checks no combination of attributes that a cloud's API would refuse, and
// it knows a small part of what the real providers know. Adding a type is a
// few lines in one of the tables (aws_*.go, azurerm.go, google.go).
package main
