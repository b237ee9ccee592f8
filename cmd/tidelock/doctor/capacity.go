package doctor

import (
	"context"

	"github.com/tidelock/tidelock/cmd/tidelock/parts"
)

// checkCapacity tells how many runs this machine does at once.
func checkCapacity(_ context.Context, c *Clinic) Diagnosis {
	if c.problems.Of("terraform.parallel", "terraform.memory", "terraform.run_memory") != nil {
		return skip("its settings are not right, see configuration")
	}
	t := c.config.Terraform
	l := parts.RunLimits(t)
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
