"""The screens of mtop: the main one and what its keys do, drill-downs, dialogs, set-up, help."""
