package parts

import (
	"testing"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/errs"
)

// A server without a Terraform of its own starts where its projects can have
// others.
func TestServerWithoutATerraformOfItsOwn(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	c := config.Default()
	c.DataDir = t.TempDir()
	if o, err := ToolsOptions(t.Context(), c); err != nil || !o.Default.Empty() || !o.Download || o.Dir == "" {
		t.Errorf("%+v, %v", o, err)
	}
	c.Terraform.Tools.Download = false
	if _, err := ToolsOptions(t.Context(), c); !errs.Is(err, errs.NotFound) {
		t.Errorf("with none to be had: %v", err)
	}
	c.Terraform.Tools.Dirs = []string{t.TempDir()}
	if _, err := ToolsOptions(t.Context(), c); err != nil {
		t.Errorf("with some installed: %v", err)
	}
	c.Terraform.Binary = "terraform-that-somebody-named"
	if _, err := ToolsOptions(t.Context(), c); !errs.Is(err, errs.NotFound) {
		t.Errorf("with one named that is not there: %v", err)
	}
}
