"""What is shown to a person: tables, sheets, pictures, the console."""
