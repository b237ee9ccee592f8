package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// part is a piece of the bench that can be run by itself.
type part struct {
	name, about string
	run         func(ctx context.Context, b *bench) error
}

var parts = []part{
	{"memory", "the server's memory when nothing happens", benchIdle},
	{"receiver", "200 signed webhooks a second", benchReceiver},
	{"plan-1", "webhook to final comment against bare Terraform, 1 project", benchPlan(planSize{projects: 1, rounds: 9, limit: time.Minute, target: 1.15})},
	{"plan-10", "the same with 10 projects", benchPlan(planSize{projects: 10, rounds: 3, limit: 2 * time.Minute, target: 0.7})},
	{"plan-50", "the same with 50 projects", benchPlan(planSize{projects: 50, rounds: 2, limit: 150 * time.Second, target: 0.7})},
	{"large", "a plan of 10,000 objects against bare Terraform", benchLarge},
	{"push", "a push to a pull request of 50 projects that touches one of them", benchPush(50)},
	{"burst", "200 pull requests at once on one repository", benchBurst},
	{"discover", "from a commit to the projects it touches: 1,000 root modules, 300 shared ones", benchGo(goBench{
		room: "./internal/checkout", name: "Discover", rounds: "5x", targets: map[string]float64{"cold": 1500, "warm": 150}})},
	{"checkout", "fetch and work tree of 100,000 files, beside git's own", benchGo(goBench{
		room: "./internal/checkout", name: "ManyFiles", rounds: "1x"})},
	{"providers", "20 inits at once that need one provider, by the store and by bare Terraform", benchProviders},
	{"policy", "all bundled policies over plans of 1,000 and 10,000 resources", benchGo(goBench{
		room: "./internal/policy", name: "Packs", rounds: "5x", targets: map[string]float64{"1000": 300, "10000": 3000}})},
	{"cost", "the price catalogue, and an estimate of 10,000 resources", benchGo(goBench{
		room: "./internal/cost", name: "Cost", rounds: "10x", targets: map[string]float64{"load": 30, "first": 30, "10000": 500}})},
	{"state", "the state service on SQLite, with states of 1 MB: 16 writers, reads, locks", benchState},
	{"micro", "the Go benchmarks of single rooms", benchMicro},
}

// choose returns the parts that the names mean, in the order of the list. A
// name means the part of that name and those that begin with it and a dash.
func choose(names []string) ([]part, error) {
	if len(names) == 0 {
		return parts, nil
	}
	chosen := map[string]bool{}
	for _, name := range names {
		found := false
		for _, p := range parts {
			if p.name == name || strings.HasPrefix(p.name, name+"-") {
				chosen[p.name], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("no part is called %q", name)
		}
	}
	return slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return !chosen[p.name] }), nil
}

func usage(w io.Writer) {
	fmt.Fprint(w, "usage: go run ./internal/bench [part…]\n\nParts, all of them when none is named:\n")
	for _, p := range parts {
		fmt.Fprintf(w, "  %-9s %s\n", p.name, p.about)
	}
}

func main() {
	chosen, err := choose(os.Args[1:])
	if err != nil {
		if !slices.Contains(os.Args[1:], "--help") && !slices.Contains(os.Args[1:], "-h") {
			fmt.Fprintf(os.Stderr, "bench: %s\n\n", err)
			usage(os.Stderr)
			os.Exit(2)
		}
		usage(os.Stdout)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, chosen); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %s\n", err)
		os.Exit(1)
	}
}

// jsonFile is where the rows go, in the folder that the bench is run from.
const jsonFile = "bench.json"

func run(ctx context.Context, chosen []part) (err error) {
	began := time.Now()
	b := &bench{report: &report{path: jsonFile, out: os.Stdout}}
	fmt.Printf("%d processors (%s), load at start %s, %s\n", runtime.NumCPU(), processor(), loadAverage(), runtime.Version())
	if b.tools, err = gather(ctx); err != nil {
		return err
	}
	defer os.RemoveAll(b.tools.dir)
	fmt.Printf("terraform: %s %s\n", b.tools.terraform.Name, b.tools.terraform.Version)
	for _, p := range chosen {
		fmt.Printf("\n%s: %s\n", p.name, p.about)
		start := time.Now()
		if err = p.run(ctx, b); err != nil {
			err = fmt.Errorf("%s: %w", p.name, err)
			break
		}
		fmt.Printf("  took %s\n", time.Since(start).Round(100*time.Millisecond))
	}
	b.report.table()
	fmt.Printf("\nAll of it took %s; the rows are in %s.\n", time.Since(began).Round(time.Second), jsonFile)
	return err
}

// bench is what the parts share.
type bench struct {
	*report
	tools *tools
}
