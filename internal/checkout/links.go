package checkout

import (
	"maps"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// badName says why a name must not stand in a work tree, "" where it may. Git
// itself makes none of these: they are made by hand, for no good.
func badName(name string) string {
	switch {
	case name == "" || name == "." || name == "..":
		return "is not a name"
	case strings.ContainsAny(name, "/\x00"):
		return "holds a slash or a zero byte"
	case strings.EqualFold(name, ".git"):
		return "is git's own folder"
	case len(name) > 255:
		return "is longer than 255 bytes"
	}
	return ""
}

// maxHops is how many links a path may go through, as in the kernel.
const maxHops = 40

// checkLinks refuses links that lead out of the tree, be it through other
// links, or nowhere but round. Links to what does not exist are allowed, as
// long as they stay inside: git has them too.
func checkLinks(links map[string]string) error {
	for _, p := range slices.Sorted(maps.Keys(links)) {
		if reason := followLink(links, p); reason != "" {
			return errs.New(errs.Invalid, "The symbolic link %q (to %q) %s. Tidelock does not check it out: replace the link, or point it to a place inside the repository.", p, links[p], reason)
		}
	}
	return nil
}

// followLink walks as the kernel would and says what is wrong, "" if nothing.
func followLink(links map[string]string, link string) string {
	at := strings.Split(link, "/")
	at = at[:len(at)-1]
	todo := []string{link[strings.LastIndexByte(link, '/')+1:]}
	hops := 0
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			if len(at) == 0 {
				return "leads out of the repository"
			}
			at = at[:len(at)-1]
			continue
		}
		here := strings.Join(append(slices.Clone(at), name), "/")
		target, isLink := links[here]
		if !isLink {
			at = append(slices.Clone(at), name)
			continue
		}
		hops++
		switch {
		case hops > maxHops:
			return "goes round in a circle, or through too many links"
		case target == "" || len(target) > 4095 || strings.ContainsRune(target, 0):
			return "has a target that is no path"
		case strings.HasPrefix(target, "/"):
			return "leads out of the repository"
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return ""
}
