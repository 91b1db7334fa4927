package telegramtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Button is a button of an inline keyboard; it does one thing.
type Button struct {
	Text  string
	URL   string // opens this
	Data  string // sends this to the bot: callback_data
	Other string // anything else, as JSON: {"web_app":{…}}
}

// Limits of a keyboard; buttons over them are dropped silently, but not data.
const (
	maxRow     = 12
	maxButtons = 300
	maxData    = 64 // bytes
)

// MarshalJSON writes the InlineKeyboardButton of the Bot API.
func (b Button) MarshalJSON() ([]byte, error) {
	object := map[string]any{"text": b.Text}
	switch {
	case b.URL != "":
		object["url"] = b.URL
	case b.Data != "":
		object["callback_data"] = b.Data
	default:
		var other map[string]any
		if err := json.Unmarshal([]byte(b.Other), &other); err != nil {
			return nil, err
		}
		maps.Copy(object, other)
	}
	return json.Marshal(object)
}

// markup is a reply_markup that was read.
type markup struct {
	rows  [][]Button // an inline keyboard
	other bool       // a keyboard of another kind: accepted, and not shown
}

// actions of a button in the order in which the server looks for them.
var buttonActions = []string{"callback_game", "pay", "switch_inline_query", "switch_inline_query_chosen_chat",
	"switch_inline_query_current_chat", "login_url", "web_app", "copy_text"}

func parseMarkup(raw string) (m markup, failed *failure) {
	if raw == "" {
		return m, nil
	}
	if !json.Valid([]byte(raw)) {
		return m, badRequest("can't parse reply keyboard markup JSON object")
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(raw), &object) != nil {
		return m, badRequest("object expected as reply markup")
	}
	rows, ok := arrays(object["keyboard"])
	if !ok {
		return m, badRequest(`field "keyboard" must be an Array of Arrays`)
	}
	for _, button := range slices.Concat(rows...) {
		if err := checkKey(button); err != nil {
			return m, badRequest("can't parse keyboard button: %v", err)
		}
	}
	inline, ok := arrays(object["inline_keyboard"])
	if !ok {
		return m, badRequest(`field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays`)
	}
	for _, row := range inline {
		var buttons []Button
		for _, raw := range row {
			b, err := parseButton(raw)
			if err != nil {
				return m, badRequest("can't parse inline keyboard button: %v", err)
			}
			buttons = append(buttons, b)
		}
		m.rows = append(m.rows, buttons)
	}
	if m.other = len(rows) > 0 || len(inline) == 0; m.other {
		m.rows = nil
	}
	return m, nil
}

func arrays(raw json.RawMessage) (rows [][]json.RawMessage, ok bool) {
	if len(raw) == 0 {
		return nil, true
	}
	return rows, json.Unmarshal(raw, &rows) == nil
}

// checkKey looks at a button of a keyboard that stands in for the phone's.
func checkKey(raw json.RawMessage) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return errors.New("KeyboardButton must be a String or an Object")
	}
	_, err := stringField(object, "text", true)
	return err
}

func parseButton(raw json.RawMessage) (b Button, err error) {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return b, errors.New("InlineKeyboardButton must be an Object")
	}
	if b.Text, err = stringField(object, "text", true); err != nil {
		return b, err
	}
	if b.URL, err = stringField(object, "url", false); err != nil || b.URL != "" {
		return b, err
	}
	if b.Data, err = stringField(object, "callback_data", false); err != nil || b.Data != "" {
		return b, err
	}
	for _, action := range buttonActions {
		if value, ok := object[action]; ok {
			b.Other = fmt.Sprintf("{%q:%s}", action, value)
			return b, nil
		}
	}
	return b, errors.New("Text buttons are unallowed in the inline keyboard")
}

func stringField(object map[string]json.RawMessage, name string, required bool) (text string, err error) {
	raw, ok := object[name]
	switch {
	case !ok && required:
		return "", fmt.Errorf("Can't find field \"%s\"", name)
	case ok && json.Unmarshal(raw, &text) != nil:
		return "", fmt.Errorf("Field \"%s\" must be of type String", name)
	}
	return text, nil
}

// check makes the keyboard of what was read.
func (m markup) check() ([][]Button, *failure) {
	var rows [][]Button
	total := 0
	for _, read := range m.rows {
		var row []Button
		for _, b := range read {
			if b.Text == "" || len(row) == maxRow || total == maxButtons {
				continue
			}
			if b.URL != "" && mentioned(b.URL) == 0 {
				link, err := checkLink(b.URL)
				if err != nil {
					return nil, badRequest("inline keyboard button %v", err)
				}
				b.URL = link
			}
			if len(b.Data) > maxData {
				return nil, badRequest("BUTTON_DATA_INVALID")
			}
			row, total = append(row, b), total+1
		}
		if len(row) > 0 {
			rows = append(rows, row)
		}
	}
	return rows, nil
}
