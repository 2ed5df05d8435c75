"""The Ocean Engine client: transport → auth → envelope → endpoint modules → facade."""
