package tfrun

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// What is wrong in the code is told in a sentence with its place, and soon.
func TestBadInputIsNamed(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		for name, c := range map[string]struct {
			files    map[string]string
			varFiles []string
			want     []string
		}{
			"modules in a circle": {map[string]string{
				"live/main.tf": "module \"a\" {\n  source = \"../a\"\n}\n", "a/main.tf": "module \"b\" {\n  source = \"../b\"\n}\n", "b/main.tf": "module \"a\" {\n  source = \"../a\"\n}\n",
			}, nil, []string{"in a circle", "a → b → a", "b/main.tf"}},
			"resources in a circle": {map[string]string{
				"live/main.tf": "resource \"terraform_data\" \"a\" {\n  input = terraform_data.b.id\n}\nresource \"terraform_data\" \"b\" {\n  input = terraform_data.a.id\n}\n",
			}, nil, []string{"Cycle: ", "terraform_data.a", "terraform_data.b"}},
			"a variable file that is missing": {map[string]string{"live/main.tf": "resource \"terraform_data\" \"a\" {}\n"},
				[]string{"prod.tfvars"}, []string{"prod.tfvars", "does not exist"}},
			"a variable without a value": {map[string]string{"live/main.tf": "variable \"region\" {}\n"},
				nil, []string{"No value for required variable", "live/main.tf line 1", "region"}},
			"code that can't be read": {map[string]string{"live/main.tf": "resource \"terraform_data\" \"a\" {\n  input = \n}\n"},
				nil, []string{"live/main.tf line 2"}},
		} {
			t.Run(name, func(t *testing.T) {
				s := newSite(t, b, c.files)
				spec := s.spec("live")
				spec.VarFiles = c.varFiles
				var log bytes.Buffer
				began := time.Now()
				r := Execute(t.Context(), spec, nil, &log)
				if r.Outcome != OutcomeFailed {
					t.Fatalf("%+v", r)
				}
				for _, want := range c.want {
					if !strings.Contains(r.Error, want) {
						t.Errorf("the error lacks %q: %s", want, r.Error)
					}
				}
				if took := time.Since(began); took > time.Minute || len(r.Error) > 2000 {
					t.Errorf("after %s: %d bytes", took, len(r.Error))
				}
			})
		}
	})
}
