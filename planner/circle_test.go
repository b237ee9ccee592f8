package planner

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestModulesInACircleAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string // circle, file
	}{
		"none":      {map[string]string{"live/m.tf": calls("../a"), "a/m.tf": calls("../b"), "b/m.tf": resource}, " "},
		"a diamond": {map[string]string{"live/m.tf": calls("../a") + calls("../b"), "a/m.tf": calls("../c"), "b/m.tf": calls("../c"), "c/m.tf": resource}, " "},
		"of two":    {map[string]string{"live/m.tf": calls("../a"), "a/first.tf": resource, "a/m.tf": calls("../b"), "b/x.tf": resource, "b/y.tf": calls("../a")}, "a → b → a b/y.tf"},
		"itself":    {map[string]string{"live/m.tf": calls("./")}, "live → live live/m.tf"},
		"the root":  {map[string]string{"live/m.tf": calls("../a"), "a/m.tf": calls("../live")}, "live → a → live a/m.tf"},
		"beside good ones": {map[string]string{"live/m.tf": calls("../a") + calls("../b"), "a/m.tf": resource, "b/m.tf": calls("../c"), "c/m.tf": calls("../a") + calls("../c")},
			"c → c c/m.tf"},
		"broken code":   {map[string]string{"live/m.tf": calls("../a"), "a/m.tf": "module {"}, " "},
		"missing code":  {map[string]string{"live/m.tf": calls("../a")}, " "},
		"not literal":   {map[string]string{"live/m.tf": "module \"a\" {\n  source = var.x\n}\n"}, " "},
		"one elsewhere": {map[string]string{"live/m.tf": resource, "a/m.tf": calls("../a")}, " "},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for path, text := range c.files {
				fsys[path] = &fstest.MapFile{Data: []byte(text)}
			}
			circle, file := moduleCircle(fsys, "live")
			if got := circle + " " + file; got != c.want {
				t.Errorf("%q, not %q", got, c.want)
			}
			problems, err := Forbidden(fsys, "live")
			if err != nil || (len(problems) == 1) != (circle != "") || circle != "" && (problems[0].Path != file || !strings.Contains(problems[0].Message, circle)) {
				t.Errorf("%v, %v", problems, err)
			}
		})
	}
}
