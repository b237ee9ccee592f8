package cost

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sort"

	"github.com/tidelock/tidelock/internal/errs"
)

// UsageFile is the name that a usage file has by itself.
const UsageFile = "infracost-usage.yml"

// ReadUsageFile reads a usage file from a disk.
func ReadUsageFile(path string) (*Usage, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errs.Wrap(errs.NotFound, err, "The usage file %s does not exist.", path)
	}
	if err != nil {
		return nil, errs.Wrap(errs.NotFound, err, "The usage file %s can't be read.", path)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxUsageFile+1))
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The usage file %s can't be read.", path)
	}
	return ReadUsage(path, data)
}

// told is what is reported of a usage file's lines that nothing was priced by.
type told int

const (
	tellAll    told = iota // a project's own file
	tellShared             // of several projects: resources that the plan lacks may be another's
	tellNone               // not the author's to mend
)

// Shared returns the usage of a file that several projects have in common: of
// resources that a plan does not have nothing is reported.
func (u *Usage) Shared() *Usage { return u.telling(tellShared) }

// Default returns the usage of a file that somebody else keeps than who reads
// the estimate: nothing is reported of it.
func (u *Usage) Default() *Usage { return u.telling(tellNone) }

func (u *Usage) telling(what told) *Usage {
	if u == nil {
		return nil
	}
	c := *u
	c.told = what
	return &c
}

// Over returns what u says over what others say: for each resource, each of
// u's amounts goes before theirs. Either may be nil.
func (u *Usage) Over(others *Usage) *Usage {
	if u == nil {
		return others
	}
	if others == nil {
		return u
	}
	c := *u
	c.under = u.under.Over(others)
	return &c
}

// of returns what is expected of a resource: what stands under its address,
// over what stands under the most specific wildcard that fits, over what
// stands for its type; all of it over what other files say. It returns nil
// where there is nothing.
func (u *Usage) of(address, typ string) *usageEntry {
	if u == nil {
		return nil
	}
	e := u.types[typ]
	for _, w := range u.wildcards {
		if fits(w.address, address) {
			e = merged(e, w)
			break
		}
	}
	return merged(u.under.of(address, typ), merged(e, u.exact[address]))
}

// find notes the entries that are of an address.
func (u *Usage) find(address string, found map[*usageEntry]bool) {
	for ; u != nil; u = u.under {
		if e := u.exact[address]; e != nil {
			found[e] = true
		}
		for _, w := range u.wildcards {
			if fits(w.address, address) {
				found[w] = true
			}
		}
	}
}

// maxUnread is how many lines are reported.
const maxUnread = 50

// unread says which lines of the files told of resources that the plan does not
// have, or of amounts that nothing is priced by: typing errors would else look
// like resources that cost nothing. Defaults of types are not reported.
func (u *Usage) unread(read map[usagePlace]bool, found map[*usageEntry]bool) []string {
	var out []string
	more := 0
	for ; u != nil; u = u.under {
		for _, text := range u.unreadHere(read, found) {
			if len(out) == maxUnread {
				more++
				continue
			}
			out = append(out, text)
		}
	}
	if more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return out
}

func (u *Usage) unreadHere(read map[usagePlace]bool, found map[*usageEntry]bool) []string {
	if u.told == tellNone {
		return nil
	}
	var all []*usageEntry
	for _, e := range u.exact {
		all = append(all, e)
	}
	all = append(all, u.wildcards...)
	type line struct {
		n    int
		text string
	}
	var lines []line
	for _, e := range all {
		if !found[e] {
			if u.told == tellAll {
				lines = append(lines, line{e.line, fmt.Sprintf("%s:%d: the plan has no %s", u.file, e.line, e.address)})
			}
			continue
		}
		for key, v := range e.values {
			if !read[v.usagePlace] {
				lines = append(lines, line{v.line, fmt.Sprintf("%s:%d: %s: nothing is priced by %s", u.file, v.line, e.address, key)})
			}
		}
	}
	sort.Slice(lines, func(i, j int) bool {
		if lines[i].n != lines[j].n {
			return lines[i].n < lines[j].n
		}
		return lines[i].text < lines[j].text
	})
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		out = append(out, l.text)
	}
	return out
}

// Digest tells usages apart: it is the same for the same files in the same
// order, and "" for none.
func (u *Usage) Digest() string {
	if u == nil {
		return ""
	}
	h := sha256.New()
	for ; u != nil; u = u.under {
		_, _ = h.Write(u.sum[:]) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil))
}
