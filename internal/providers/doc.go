// Package providers keeps the packages of Terraform's providers for all runs of
// a machine: each is fetched once, verified, unpacked once and never changed
// again, and every run links to it.
//
// A Store's folder holds
//
//	store/HOST/NAMESPACE/TYPE/VERSION/OS_ARCH/   the unpacked packages: a filesystem mirror
//	meta/HOST/NAMESPACE/TYPE/VERSION/OS_ARCH.json   what is known of each, see Package
//	views/KEY/   the packages of one set as links, with the CLI configuration of the runs that use it
//	tmp/, locks/   what is under way
//
// The server alone writes there, never a run: the sandbox lets runs read store
// and views. Before a run starts, Prepare reads which providers its project
// asks for and which versions its lock file pins, and sees to it that they are
// in the store. The run's CLI configuration then names a view, in which
// nothing but those versions is, so that init asks no registry about them and
// downloads nothing.
//
// Promises: a package is in the store only if it is what its registry signed,
// or what the operator's own network mirror serves, and what the project's lock
// file pins; it is there whole or not at all, whoever dies in between; two runs,
// or two processes, that want the same at once download it once; no address
// that a pull request names leads into the operator's own network; nothing
// that a package holds is written elsewhere than into its folder, and none is
// larger than the bounds in unpack.go.
//
// It knows neither GitHub nor the database, and runs nothing.
package providers
