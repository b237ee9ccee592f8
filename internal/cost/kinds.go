package cost

import (
	_ "embed"
	"strings"
	"sync"
)

// kind says how a type of resource is priced. A type that no list knows is
// not supported.
type kind struct {
	price  pricer
	meters []meter // what it is paid by, where the usage file can tell how much
	usage  string  // what it is paid by, where there is nothing fixed
	free   bool
}

// pricer writes the bill of one side of one resource.
type pricer func(s *side)

// types_free.txt and types_usage.txt list types that need no code: one a line,
// a star at the end for all types that begin so, and for usage what is paid.
var (
	//go:embed types_free.txt
	freeList string
	//go:embed types_usage.txt
	usageList string
)

type prefixed struct {
	prefix string
	kind   kind
}

var listed = sync.OnceValue(func() (l struct {
	exact    map[string]kind
	prefixes []prefixed
}) {
	l.exact = map[string]kind{}
	put := func(name string, k kind) {
		if p, ok := strings.CutSuffix(name, "*"); ok {
			l.prefixes = append(l.prefixes, prefixed{p, k})
			return
		}
		l.exact[name] = k
	}
	for line := range strings.Lines(freeList) {
		if name := strings.TrimSpace(line); name != "" && name[0] != '#' {
			put(name, kind{free: true})
		}
	}
	for line := range strings.Lines(usageList) {
		if name, what, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name[0] != '#' {
			put(name, kind{usage: strings.TrimSpace(what)})
		}
	}
	return l
})

// kindOf finds how a type is priced: by code, by its own name in a list, by
// the beginning of its name.
func kindOf(typ string) kind {
	if p := pricers[typ]; p != nil {
		return kind{price: p}
	}
	if m := metered[typ]; m != nil {
		return kind{meters: m}
	}
	l := listed()
	if k, ok := l.exact[typ]; ok {
		return k
	}
	for _, p := range l.prefixes {
		if strings.HasPrefix(typ, p.prefix) {
			return p.kind
		}
	}
	return kind{}
}

// flat prices a resource that costs one thing, whatever its arguments.
func flat(name, service, sku string, usage ...string) pricer {
	return func(s *side) {
		s.charge(name, "", service, sku, one())
		for _, u := range usage {
			s.byUse(u)
		}
	}
}

// metersOn prices a resource that costs one thing, whatever its arguments, and
// what is used of it.
func metersOn(name, service, sku string, ms ...meter) pricer {
	return func(s *side) {
		s.charge(name, "", service, sku, one())
		s.meters(ms...)
	}
}
