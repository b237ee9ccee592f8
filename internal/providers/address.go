package providers

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	tfaddr "github.com/hashicorp/terraform-registry-address"
	svchost "github.com/hashicorp/terraform-svchost"

	"github.com/tidelock/tidelock/planner"
)

// Address is a provider's full name: HOST/NAMESPACE/TYPE.
type Address = tfaddr.Provider

// The registries that the tools ask where code names no host.
const (
	terraformHost = svchost.Hostname("registry.terraform.io")
	openTofuHost  = svchost.Hostname("registry.opentofu.org")
)

// defaultHost is the host of addresses that name none.
func defaultHost(tool string) svchost.Hostname {
	if tool == planner.ToolOpenTofu {
		return openTofuHost
	}
	return terraformHost
}

// addressOf returns the address that a need means to a tool.
func addressOf(n planner.ProviderNeed, tool string) (Address, error) {
	source := n.Source
	if source == "" {
		source = "hashicorp/" + n.Name
	}
	a, err := tfaddr.ParseProviderSource(source)
	if err != nil {
		return a, fmt.Errorf("%q is not the address of a provider", source)
	}
	if !a.HasKnownNamespace() { // a bare name
		a.Namespace = "hashicorp"
	}
	if strings.Count(source, "/") < 2 {
		a.Hostname = defaultHost(tool)
	}
	return checkAddress(a)
}

// parseAddress reads a full address, as lock files and folders have it.
func parseAddress(text string) (Address, error) {
	if strings.Count(text, "/") != 2 {
		return Address{}, fmt.Errorf("%q is not the full address of a provider", text)
	}
	a, err := tfaddr.ParseProviderSource(text)
	if err != nil {
		return a, fmt.Errorf("%q is not the address of a provider", text)
	}
	return checkAddress(a)
}

// checkAddress refuses what could be anything but three plain parts of a path.
func checkAddress(a Address) (Address, error) {
	if a.IsLegacy() || !a.HasKnownNamespace() {
		return a, fmt.Errorf("%q has no namespace", a.Type)
	}
	for _, part := range []string{a.Hostname.ForDisplay(), a.Namespace, a.Type} {
		if part == "" || strings.HasPrefix(part, ".") || strings.ContainsAny(part, `/\*`) || !filepath.IsLocal(part) {
			return a, fmt.Errorf("%q is not the address of a provider", a.String())
		}
	}
	return a, nil
}

// Pattern is what an allow-list holds: HOST/NAMESPACE/TYPE, of which the last
// parts may be stars, as in a CLI configuration.
type Pattern struct{ host, namespace, typ string }

// ParsePattern reads a pattern such as registry.terraform.io/hashicorp/*.
func ParsePattern(text string) (Pattern, error) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return Pattern{}, fmt.Errorf("%q is not of the form HOST/NAMESPACE/TYPE", text)
	}
	p := Pattern{parts[0], parts[1], parts[2]}
	if p.host == "*" && p.namespace != "*" || p.namespace == "*" && p.typ != "*" {
		return Pattern{}, fmt.Errorf("%q has a part after a star: what follows a star must be stars too", text)
	}
	if p.host != "*" {
		host, err := svchost.ForComparison(p.host)
		if err != nil {
			return Pattern{}, fmt.Errorf("%q does not begin with the name of a host", text)
		}
		p.host = host.String()
	}
	for _, part := range []*string{&p.namespace, &p.typ} {
		if *part == "*" {
			continue
		}
		clean, err := tfaddr.ParseProviderPart(*part)
		if err != nil {
			return Pattern{}, fmt.Errorf("%q has a part that no provider's address has", text)
		}
		*part = clean
	}
	return p, nil
}

// String returns the pattern as ParsePattern takes it.
func (p Pattern) String() string { return p.host + "/" + p.namespace + "/" + p.typ }

func (p Pattern) matches(a Address) bool {
	return (p.host == "*" || p.host == a.Hostname.String()) &&
		(p.namespace == "*" || p.namespace == a.Namespace) && (p.typ == "*" || p.typ == a.Type)
}

// allowed reports whether the list lets a provider be used; an empty list lets
// all.
func allowed(list []Pattern, a Address) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(p Pattern) bool { return p.matches(a) })
}

// patternTexts returns the list as a CLI configuration has it.
func patternTexts(list []Pattern) []string {
	var out []string
	for _, p := range list {
		out = append(out, p.String())
	}
	return out
}
