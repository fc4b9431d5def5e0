<?xml version="1.0" encoding="utf-8"?>
<!-- Takes the descriptions of the models out of KubernetesClient's documentation file; most of that is about its methods. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="xml" indent="no" />
  <xsl:template match="/doc">
    <doc>
      <xsl:copy-of select="members/member[starts-with(@name, 'P:k8s.Models.') or starts-with(@name, 'T:k8s.Models.')][summary]" />
    </doc>
  </xsl:template>
</xsl:stylesheet>
