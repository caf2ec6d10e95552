"""The screens of mtop beside the main one: drill-downs, dialogs, set-up, help."""
