package checkout

import (
	"bytes"
	"context"
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

// maxTarget is how many bytes a link may lead along, as in the kernel.
const maxTarget = 4095

// checkLinks refuses links that lead out of the tree, be it through other
// links, or nowhere but round. Links to what does not exist are allowed, as
// long as they stay inside: git has them too.
func checkLinks(ctx context.Context, links map[string]string) error {
	f := newFollower(links)
	for i, p := range slices.Sorted(maps.Keys(links)) {
		if i%1000 == 0 && ctx.Err() != nil {
			return stopped(ctx)
		}
		if _, reason := f.follow(p, 0); reason != "" {
			return badLink(p, links[p], reason)
		}
	}
	return nil
}

func badLink(p, target, reason string) error {
	return errs.New(errs.Invalid, "The symbolic link %q (to %q) %s. Tidelock does not check it out: replace the link, or point it to a place inside the repository.", p, target, reason)
}

// follower walks links as the kernel would. Each is walked once, whatever
// leads through it: a pull request can have many, which are long.
type follower struct {
	links   map[string]string
	longest int // bytes of a link's path
	known   map[string]arrival
	kept    int // bytes of what is known
}

// arrival is where a link leads, and through how many.
type arrival struct {
	at   string
	hops int
}

// maxArrivals bounds the bytes that a follower remembers.
const maxArrivals = 32 << 20

func newFollower(links map[string]string) *follower {
	f := &follower{links: links, known: map[string]arrival{}}
	for p := range links {
		f.longest = max(f.longest, len(p))
	}
	return f
}

// follow returns where a link leads, or says what is wrong. depth is how many
// lead to it.
func (f *follower) follow(link string, depth int) (to arrival, wrong string) {
	if known, ok := f.known[link]; ok {
		return known, ""
	}
	const round = "goes round in a circle, or through too many links"
	target := f.links[link]
	switch {
	case depth >= maxHops:
		return to, round
	case target == "" || len(target) > maxTarget || strings.ContainsRune(target, 0):
		return to, "has a target that is no path"
	case strings.HasPrefix(target, "/"):
		return to, "leads out of the repository"
	}
	at := []byte(link[:max(0, strings.LastIndexByte(link, '/'))])
	to.hops = 1
	for name := range strings.SplitSeq(target, "/") {
		switch name {
		case "", ".":
			continue
		case "..":
			if len(at) == 0 {
				return to, "leads out of the repository"
			}
			at = at[:max(0, bytes.LastIndexByte(at, '/'))]
			continue
		}
		if len(at) > 0 {
			at = append(at, '/')
		}
		at = append(at, name...)
		if len(at) > f.longest {
			continue // no link is there
		}
		if _, ok := f.links[string(at)]; !ok {
			continue
		}
		through, wrong := f.follow(string(at), depth+1)
		if wrong != "" {
			return to, wrong
		}
		if to.hops += through.hops; to.hops > maxHops {
			return to, round
		}
		at = append(at[:0], through.at...)
	}
	to.at = string(at)
	if f.kept += len(to.at); f.kept <= maxArrivals {
		f.known[link] = to
	}
	return to, ""
}
