package cache

import "encoding/json"

// Codec turns values into what Redis keeps, and back.
type Codec interface {
	// Name is kept beside each value, so that an entry of another codec is a miss.
	// It has no blanks, commas or line ends.
	Name() string
	// Marshal's error leaves a value in the memory of its process alone, and so does
	// an encoding of more than 8 MiB.
	Marshal(v any) ([]byte, error)
	Unmarshal(data []byte, v any) error // v is a pointer
}

// JSON is the Codec of a zero Config.
type JSON struct{}

// Name is "json".
func (JSON) Name() string { return "json" }

// Marshal is json.Marshal.
func (JSON) Marshal(v any) ([]byte, error) { return json.Marshal(v) }

// Unmarshal is json.Unmarshal.
func (JSON) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }
