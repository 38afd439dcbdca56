"""What leaves besides Confluence: mail to the people whom policies are about, and to teams."""
