package main

import (
	"context"
	"runtime"

	"github.com/tidelock/tidelock/internal/capacity"
)

// parallel is how many plans are made at once. Of the processor's cores those
// count that this process may use, in a container too.
func (c TerraformConfig) parallel() int {
	if c.Parallel > 0 {
		return c.Parallel
	}
	return runtime.GOMAXPROCS(0)
}

// limits is what runs may take of this machine, as it is now. Applies have
// cores of their own, so that plans never keep them waiting for one.
func (c TerraformConfig) limits() capacity.Limits {
	l := capacity.Limits{Memory: int64(c.Memory) << 20, Plans: c.parallel(), Applies: max(2, c.parallel())}
	if l.Memory == 0 {
		l.Memory = capacity.Memory()
	}
	return l
}

// checkCapacity tells how many runs this machine does at once.
func checkCapacity(_ context.Context, c *clinic) diagnosis {
	if c.problems.of("terraform.parallel", "terraform.memory", "terraform.run_memory") != nil {
		return skip("its settings are not right, see configuration")
	}
	t := c.config.Terraform
	l := t.limits()
	if l.Memory == 0 {
		return warn("set terraform.memory", "%d plans at once, and %d applies beside them; how much memory is free can't be told, so that it limits nothing", l.Plans, l.Applies)
	}
	fit := int(l.Memory / (int64(t.RunMemory) << 20))
	const said = "%d plans at once, and %d applies beside them, in %d MB of memory; a run of which nothing is known yet is taken to need %d MB, so that there is room for %d of those"
	args := []any{l.Plans, l.Applies, l.Memory >> 20, t.RunMemory, fit}
	switch {
	case fit == 0:
		return warn("give the machine more memory, or set terraform.run_memory to what runs really need", said+": each runs alone", args...)
	case fit < l.Plans:
		return warn("give the machine more memory, or lower terraform.run_memory if runs need less; what they took stands on their pages", said, args...)
	}
	return ok(said, args...)
}
