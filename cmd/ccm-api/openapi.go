package main

import (
	"bytes"
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/httpapi"
)

func (a *app) openAPICommand() *cobra.Command {
	return &cobra.Command{
		Use:     "openapi",
		Short:   "La descripción OpenAPI 3.1 de la API, en JSON",
		Example: "  ccm-api openapi > openapi.json",
		Args:    noArgs,
		RunE:    func(*cobra.Command, []string) error { return a.openAPI() },
	}
}

func (a *app) openAPI() error {
	client, err := ccm.Open(ccm.Config{})
	if err != nil {
		return err
	}
	defer client.Close()
	m := newMetrics(client)
	document, err := httpapi.New(client, httpapi.Config{Version: version(), Metrics: m.handler()}).OpenAPI()
	if err != nil {
		return err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, document, "", "  "); err != nil {
		return err
	}
	pretty.WriteByte('\n')
	_, err = pretty.WriteTo(a.out)
	return err
}
