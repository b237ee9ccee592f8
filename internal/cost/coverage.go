package cost

import (
	"sort"
	"time"
)

// Coverage says what the catalogue knows of a cloud, of one of its services,
// or of a service in a region, and how old that is.
type Coverage struct {
	Cloud   string // aws, azure, gcp
	Service string // "" for all of the cloud
	Region  string // "" for all regions; "global" for prices that hold in all
	// Prices counts every source by itself: what two know counts twice.
	Prices   int
	Regions  int      // how many it is spread over
	From, To string   // the oldest and newest day (2006-01-02) or month (2006-01) of them
	Sources  []string // their names, sorted
}

// CoverageBy says how finely Catalog.Coverage tells.
type CoverageBy int

// The grains of coverage.
const (
	ByCloud CoverageBy = iota
	ByService
	ByRegion
)

// Coverage says what the catalogue covers, in the order of cloud, service and
// region. It reads no price.
func (c *Catalog) Coverage(by CoverageBy) []Coverage {
	type group struct {
		Coverage
		regions, sources map[string]bool
	}
	groups := map[[3]string]*group{}
	for _, s := range c.Sheets() {
		k := [3]string{s.Cloud}
		if by >= ByService {
			k[1] = s.Service
		}
		if by >= ByRegion {
			k[2] = s.Region
		}
		g := groups[k]
		if g == nil {
			g = &group{Coverage{Cloud: k[0], Service: k[1], Region: k[2]}, map[string]bool{}, map[string]bool{}}
			groups[k] = g
		}
		g.Prices += s.Prices
		g.regions[s.Region], g.sources[s.Source.Name] = true, true
		if g.From == "" || s.Source.AsOf < g.From {
			g.From = s.Source.AsOf
		}
		if s.Source.AsOf > g.To {
			g.To = s.Source.AsOf
		}
	}
	out := make([]Coverage, 0, len(groups))
	for _, g := range groups {
		g.Regions = len(g.regions)
		for name := range g.sources {
			g.Sources = append(g.Sources, name)
		}
		sort.Strings(g.Sources)
		out = append(out, g.Coverage)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if a.Cloud != b.Cloud {
			return a.Cloud < b.Cloud
		}
		if a.Service != b.Service {
			return a.Service < b.Service
		}
		return a.Region < b.Region
	})
	return out
}

// Age returns how many days old the oldest price is, and false where its date
// says nothing. A month counts from its first day.
func (c Coverage) Age(now time.Time) (days int, ok bool) {
	for _, layout := range []string{"2006-01-02", "2006-01"} {
		if t, err := time.Parse(layout, c.From); err == nil {
			return int(now.Sub(t).Hours() / 24), true
		}
	}
	return 0, false
}

// Types returns the types of resources that are priced: by code or by what is
// used of them; those that are paid by use alone without a price that the
// estimator knows; and those that are free. Stars stand for many that begin
// so. All are sorted.
func Types() (priced, usage, free []string) {
	for typ := range pricers {
		priced = append(priced, typ)
	}
	for typ := range metered {
		priced = append(priced, typ)
	}
	l := listed()
	for typ, k := range l.exact {
		if k.free {
			free = append(free, typ)
		} else {
			usage = append(usage, typ)
		}
	}
	for _, p := range l.prefixes {
		if p.kind.free {
			free = append(free, p.prefix+"*")
		} else {
			usage = append(usage, p.prefix+"*")
		}
	}
	sort.Strings(priced)
	sort.Strings(usage)
	sort.Strings(free)
	return priced, usage, free
}
