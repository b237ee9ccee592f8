package bot

import (
	"reflect"
	"testing"

	"github.com/tidelock/tidelock/bot/comment"
)

// What comments depend on of the settings is taken from the field of the same
// name, and none is forgotten.
func TestSettingsOfComments(t *testing.T) {
	for i := range reflect.TypeFor[comment.Settings]().NumField() {
		name := reflect.TypeFor[comment.Settings]().Field(i).Name
		var s Settings
		from := reflect.ValueOf(&s).Elem().FieldByName(name)
		if !from.IsValid() {
			t.Errorf("the settings have no %s", name)
			continue
		}
		switch from.Kind() {
		case reflect.Bool:
			from.SetBool(true)
		case reflect.String:
			from.SetString("x")
		case reflect.Int64:
			from.SetInt(1)
		case reflect.Slice:
			from.Set(reflect.ValueOf([]string{"plan"}))
		default:
			t.Fatalf("a %s: teach this test", from.Kind())
		}
		told := reflect.ValueOf(s.OfComments())
		for j := range told.NumField() {
			if zero := told.Field(j).IsZero(); zero != (i != j) {
				t.Errorf("with %s set, %s is %v", name, told.Type().Field(j).Name, told.Field(j))
			}
		}
	}
}
