package policy_test

import (
	"testing"

	"github.com/tidelock/tidelock/internal/policy"
)

// TestSettingsReference: every bundled setting says what it is and which of its
// values are the stricter ones.
func TestSettingsReference(t *testing.T) {
	e := engine(t, policy.Options{}, nil)
	all := e.Settings()
	n := 0
	for _, s := range e.SettingsReference() {
		n++
		if s.Title == "" || s.Description == "" || s.Tighter == "" {
			t.Errorf("%s:%d: %s.%s lacks a title, a description or custom.tighter", s.File, s.Line, s.Pack, s.Name)
		}
		if _, ok := all[s.Pack][s.Name]; !ok {
			t.Errorf("%s.%s is no setting of the engine", s.Pack, s.Name)
		}
		if ok, known := s.AsTight(s.Default, s.Default); s.Tighter != "" && (!ok || !known) {
			t.Errorf("%s.%s: the default is not as tight as itself", s.Pack, s.Name)
		}
		delete(all[s.Pack], s.Name)
	}
	for pack, left := range all {
		for name := range left {
			t.Errorf("%s.%s has no entry in the reference", pack, name)
		}
	}
	if n == 0 {
		t.Error("there is no setting")
	}
}

func TestSettingAsTight(t *testing.T) {
	list := []any{}
	for _, c := range []struct {
		name        string
		setting     policy.Setting
		than, value any
		ok, known   bool
	}{
		{"lower", policy.Setting{Default: 20, Tighter: policy.Lower}, 20, 5, true, true},
		{"not lower", policy.Setting{Default: 20, Tighter: policy.Lower}, 20, 20.5, false, true},
		{"higher", policy.Setting{Default: 20, Tighter: policy.Higher}, 9, 10, true, true},
		{"not higher", policy.Setting{Default: 20, Tighter: policy.Higher}, 10, 9, false, true},
		{"true is higher", policy.Setting{Default: false, Tighter: policy.Higher}, false, true, true, true},
		{"false is not", policy.Setting{Default: false, Tighter: policy.Higher}, true, false, false, true},
		{"more", policy.Setting{Default: list, Tighter: policy.More}, []string{"a"}, []string{"b", "a"}, true, true},
		{"another is not more", policy.Setting{Default: list, Tighter: policy.More}, []string{"a"}, []string{"b", "c"}, false, true},
		{"a star is no more than what it stands for", policy.Setting{Default: list, Tighter: policy.More}, []string{"a"}, []string{"*"}, false, true},
		{"fewer", policy.Setting{Default: list, Tighter: policy.Fewer}, []string{"a", "b"}, []string{"b"}, true, true},
		{"none", policy.Setting{Default: list, Tighter: policy.Fewer}, []string{"a"}, []string{}, true, true},
		{"another is not fewer", policy.Setting{Default: list, Tighter: policy.Fewer}, []string{"a", "b"}, []string{"c"}, false, true},
		{"of a star", policy.Setting{Default: list, Tighter: policy.Fewer}, []string{"*.example.com"}, []string{"a.example.com", "*.b.example.com"}, true, true},
		{"beyond a star", policy.Setting{Default: list, Tighter: policy.Fewer}, []string{"*.example.com"}, []string{"example.com"}, false, true},
		{"a star for more than it had", policy.Setting{Default: list, Tighter: policy.Fewer}, []string{"a*"}, []string{"*"}, false, true},
		{"a dot is a dot", policy.Setting{Default: list, Tighter: policy.Fewer}, []string{"a.*"}, []string{"abc"}, false, true},
		{"numbers in lists", policy.Setting{Default: []any{80}, Tighter: policy.Fewer}, []int{80, 443}, []int{443}, true, true},
		{"the same without a direction", policy.Setting{Default: "a"}, "x", "x", true, true},
		{"no direction", policy.Setting{Default: "a"}, "x", "y", false, false},
		{"another kind", policy.Setting{Default: 20, Tighter: policy.Lower}, 20, "5", false, false},
		{"a direction that its kind has not", policy.Setting{Default: "a", Tighter: policy.Lower}, "b", "a", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if ok, known := c.setting.AsTight(c.than, c.value); ok != c.ok || known != c.known {
				t.Errorf("AsTight = %v, %v, want %v, %v", ok, known, c.ok, c.known)
			}
		})
	}
}
