# METADATA
# title: Sources of modules
# description: What a module's source says, as Terraform reads it.
package tidelock.terraform.source

# local: a folder of the same repository, which the commit pins.
is_local(source) if regex.match(`^\.\.?[/\\]`, source)

# A registry address is namespace/name/system, a host before it or not. What
# begins with these two hosts is a git repository to Terraform.
is_registry(source) if {
	regex.match(`^([0-9A-Za-z-]+(\.[0-9A-Za-z-]+)+(:[0-9]+)?/)?[0-9A-Za-z][0-9A-Za-z_-]*/[0-9A-Za-z][0-9A-Za-z_-]*/[0-9a-z]+(//.*)?$`, source)
	not regex.match(`^(github\.com|bitbucket\.org)/`, source)
}

is_git(source) if startswith(source, "git::")

is_git(source) if regex.match(`^(github\.com|bitbucket\.org|gitlab\.com)/`, source)

is_git(source) if regex.match(`^[^@/:]+@[^:/]+:`, source)

is_git(source) if {
	not contains(source, "::")
	regex.match(`^[a-z+]+://[^?]*\.git(//|\?|$)`, source)
}

# registry_host gives the host of a registry address; without one it is the
# program's own public registry, which is not asked about.
registry_host(source) := host if {
	is_registry(source)
	[host, _, _, _] := split(split(source, "//")[0], "/")
}

# host gives the machine that the code is fetched from, if it is neither local
# nor a registry's.
host(source) := lower(found[0][1]) if {
	not is_local(source)
	not is_registry(source)
	found := regex.find_all_string_submatch_n(`^(?:[a-z0-9]+::)?(?:[a-z0-9+]+://)?(?:[^@/]*@)?([^/:?]+)`, source, 1)
}

# unsafe: the protocol neither hides nor proves what is fetched.
unsafe(source) if regex.match(`^([a-z0-9]+::)?(http|git|ftp)://`, source)

# ref gives what a git source is pinned to, "" where it is not.
default ref(_) := ""

ref(source) := found[0][1] if found := regex.find_all_string_submatch_n(`[?&]ref=([^&]*)`, source, 1)

# fixed: a commit, or a name that has a version in it. A tag can be moved too,
# but who does that does it on purpose.
fixed(name) if regex.match(`^([0-9a-f]{7,40}|[0-9a-f]{64})$`, name)

fixed(name) if {
	not startswith(name, "refs/heads/")
	regex.match(`(^|[^0-9A-Za-z])v?[0-9]+(\.[0-9]+)+`, name)
}

fixed(name) if regex.match(`^(refs/tags/|v[0-9]+$)`, name)

# bounded: a version constraint that keeps newer versions out.
bounded(constraint) if {
	some part in split(constraint, ",")
	regex.match(`^(~>|=|<|<=)?\s*v?[0-9]`, trim_space(part))
}
